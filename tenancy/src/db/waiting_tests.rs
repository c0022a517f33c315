use uuid::Uuid;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn tenant(number: u128) -> TenantId {
    TenantId::new(Uuid::from_u128(number))
}

/// A lane of four connections, and the time.
fn lane() -> (State<&'static str>, Instant) {
    (State::new(Bounds::of(4, 2)), Instant::now())
}

/// A tenant that was quick with so many connections at once that it may hold three now.
fn quick(state: &mut State<&'static str>, number: u128, now: Instant) {
    state.remember(tenant(number), Pace::Quick(3), now);
}

/// Takes a slot, and uses it from then on.
fn begin(state: &mut State<&'static str>, number: u128, now: Instant) -> Option<usize> {
    begin_to(Access::Write, state, number, now)
}

fn begin_to(
    access: Access,
    state: &mut State<&'static str>,
    number: u128,
    now: Instant,
) -> Option<usize> {
    let slot = state.begin(tenant(number), access, now)?;
    state.start(slot, now);
    Some(slot)
}

#[test]
fn a_tenant_leaves_one_connection_to_others() {
    let (mut state, now) = lane();
    quick(&mut state, 1, now);
    for _ in 0..3 {
        assert!(begin(&mut state, 1, now).is_some());
    }
    assert_eq!(begin(&mut state, 1, now), None);
    assert!(begin(&mut state, 2, now).is_some());
}

#[test]
fn a_tenant_is_allowed_more_connections_one_by_one_as_it_is_quick_with_them() {
    let (mut state, now) = lane();
    let mut held = VecDeque::from([begin(&mut state, 1, now).unwrap()]);
    for allowed in [2, 3, 3] {
        assert_eq!(begin(&mut state, 1, now), None, "not yet {allowed}");
        let id = state.push(tenant(1), Access::Write, "1").unwrap();
        state.end(held.pop_front().unwrap(), now);
        state.remove(tenant(1), id);
        while let Some(slot) = begin(&mut state, 1, now) {
            held.push_back(slot);
        }
        assert_eq!(held.len(), allowed);
    }
}

#[test]
fn tenants_of_which_nothing_is_known_do_not_take_all_connections_at_once() {
    let (mut state, now) = lane();
    for number in [1, 2, 3] {
        assert!(begin(&mut state, number, now).is_some());
        assert_eq!(begin(&mut state, number, now), None);
    }
    assert!(begin(&mut state, 4, now).is_some());
}

#[test]
fn what_is_known_of_a_tenant_is_forgotten_after_a_while() {
    let (mut state, now) = lane();
    quick(&mut state, 1, now);
    let later = now + REMEMBERED_FOR;
    assert!(begin(&mut state, 1, later).is_some());
    assert_eq!(begin(&mut state, 1, later), None);
    state.remember(tenant(2), Pace::Slow, later);
    assert_eq!(state.known.len(), 1);
}

#[test]
fn so_many_reads_run_at_once_as_keep_processors_busy_and_a_stuck_one_is_none_of_them() {
    let (mut state, now) = (State::new(Bounds::of(8, 3)), Instant::now());
    for number in [1, 2, 3] {
        assert!(begin_to(Access::Read, &mut state, number, now).is_some());
    }
    assert_eq!(begin_to(Access::Read, &mut state, 4, now), None);
    state.push(tenant(4), Access::Read, "read").unwrap();
    assert!(state.next(now).is_none());
    assert!(begin_to(Access::Write, &mut state, 5, now).is_some());
    assert_eq!(state.next(now + BRIEF).unwrap().1, "read");
}

#[test]
fn reads_of_slow_tenants_do_not_keep_others_from_reading() {
    let (mut state, now) = (State::new(Bounds::of(8, 1)), Instant::now());
    state.remember(tenant(1), Pace::Slow, now);
    assert!(begin_to(Access::Read, &mut state, 1, now).is_some());
    assert!(begin_to(Access::Read, &mut state, 2, now).is_some());
    assert_eq!(begin_to(Access::Read, &mut state, 3, now), None);
}

#[test]
fn a_tenant_meets_the_same_connections_again_when_they_are_free() {
    let (mut state, now) = (State::new(Bounds::of(8, 3)), Instant::now());
    let read = begin_to(Access::Read, &mut state, 5, now).unwrap();
    let write = begin_to(Access::Write, &mut state, 6, now).unwrap();
    assert!(read < 3 && write >= 3, "{read} {write}");
    state.end(read, now);
    state.end(write, now);
    assert_eq!(begin_to(Access::Read, &mut state, 5, now), Some(read));
    assert_eq!(begin_to(Access::Write, &mut state, 6, now), Some(write));
    let other = begin_to(Access::Write, &mut state, 6 + 5, now).unwrap();
    assert!(other >= 3 && other != write, "it belongs to both: {other}");
}

#[test]
fn a_read_waits_for_its_own_connection_while_anothers_read_will_be_done_soon() {
    let (mut state, now) = (State::new(Bounds::of(8, 3)), Instant::now());
    let own = begin_to(Access::Read, &mut state, 1, now).unwrap();
    assert_eq!(begin_to(Access::Read, &mut state, 1 + 3, now), None);
    state.push(tenant(1 + 3), Access::Read, "waits").unwrap();
    state.end(own, now);
    assert_eq!(state.next(now), Some((own, "waits")));
}

#[test]
fn a_read_takes_another_connection_when_its_own_is_busy_for_longer_or_with_its_tenant() {
    let (mut state, now) = (State::new(Bounds::of(8, 3)), Instant::now());
    quick(&mut state, 1, now);
    assert_eq!(begin_to(Access::Read, &mut state, 1, now), Some(1));
    assert!(begin_to(Access::Read, &mut state, 1, now).is_some());
    let later = now + BRIEF;
    assert!(begin_to(Access::Read, &mut state, 1 + 3, later).is_some());
}

#[test]
fn a_slow_tenant_keeps_away_from_the_connections_for_reads() {
    let (mut state, now) = lane();
    state.remember(tenant(1), Pace::Slow, now);
    assert!(begin_to(Access::Read, &mut state, 1, now).unwrap() >= 2);
}

#[test]
fn slow_tenants_together_hold_at_most_half_of_the_connections() {
    let (mut state, now) = lane();
    begin(&mut state, 1, now).unwrap();
    begin(&mut state, 2, now).unwrap();
    let later = now + SLOW;
    assert_eq!(
        begin(&mut state, 1, later),
        None,
        "slow while it still holds"
    );
    assert!(begin(&mut state, 3, later).is_some());
    assert!(begin(&mut state, 4, later).is_some());
}

#[test]
fn a_tenant_is_slow_for_a_while_after_it_was() {
    let (mut state, now) = lane();
    let (first, second) = (begin(&mut state, 1, now), begin(&mut state, 2, now));
    let later = now + SLOW;
    state.end(first.unwrap(), later);
    state.end(second.unwrap(), later);
    let used = [1, 2].map(|number| begin(&mut state, number, later).unwrap());
    assert_eq!(begin(&mut state, 1, later), None);
    let forgiven = later + REMEMBERED_FOR + SECOND;
    for slot in used {
        state.start(slot, forgiven);
    }
    quick(&mut state, 1, forgiven);
    assert!(begin(&mut state, 1, forgiven).is_some());
}

#[test]
fn use_that_has_not_begun_is_not_slow() {
    let (mut state, now) = lane();
    let slot = state.begin(tenant(1), Access::Write, now).unwrap();
    state.end(slot, now + 60 * SECOND);
    assert!(state.known.is_empty());
}

#[test]
fn tenants_that_wait_are_served_in_turn() {
    let (mut state, now) = lane();
    quick(&mut state, 3, now);
    let slots = [1, 2, 5, 6].map(|number| begin(&mut state, number, now).unwrap());
    for (number, name) in [(3, "3a"), (3, "3b"), (3, "3c"), (4, "4a")] {
        state.push(tenant(number), Access::Write, name).unwrap();
    }
    let mut served = Vec::new();
    for slot in slots {
        state.end(slot, now);
        served.extend(state.next(now).map(|(_, name)| name));
    }
    assert_eq!(served, ["3a", "4a", "3b", "3c"]);
}

#[test]
fn one_that_may_not_begin_keeps_nobody_else_waiting() {
    let (mut state, now) = lane();
    begin(&mut state, 1, now).unwrap();
    state.push(tenant(1), Access::Write, "1").unwrap();
    state.push(tenant(2), Access::Write, "2").unwrap();
    assert_eq!(state.next(now).unwrap().1, "2");
    assert!(state.next(now).is_none());
}

#[test]
fn how_many_wait_is_bounded_for_a_tenant_and_in_all() {
    let mut state: State<usize> = State::new(Bounds::of(2, 1));
    let bounds = state.bounds;
    for number in 0..bounds.tenant_waits {
        state.push(tenant(1), Access::Write, number).unwrap();
    }
    assert_eq!(state.push(tenant(1), Access::Write, 0), Err(Full));
    for number in bounds.tenant_waits..bounds.waits {
        let other = tenant(2 + number as u128);
        state.push(other, Access::Write, number).unwrap();
    }
    assert_eq!(state.push(tenant(0), Access::Write, 0), Err(Full));
}

#[test]
fn whoever_leaves_is_forgotten() {
    let (mut state, now) = lane();
    let id = state.push(tenant(1), Access::Write, "1").unwrap();
    state.push(tenant(2), Access::Write, "2").unwrap();
    state.remove(tenant(1), id);
    state.remove(tenant(1), id);
    let (slot, name) = state.next(now).unwrap();
    assert_eq!(name, "2");
    state.end(slot, now);
    assert!(state.is_idle());
}
