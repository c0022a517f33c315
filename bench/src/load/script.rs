//! The scripts that wrk runs: every request made ready beforehand, and an order drawn here, so
//! that all rows meet the same tenants in the same order.

use std::fmt::Write;

/// Requests drawn for one script; wrk goes through them round and round.
const PICKS: usize = 20_000;

/// How requests are spread over tenants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mix {
    /// Every tenant as often as another.
    Uniform,
    /// The k-th tenant 1/k as often as the first: few are busy, most are quiet.
    Zipf,
}

impl Mix {
    /// The word for it in the table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::Zipf => "zipf",
        }
    }
}

/// One request to be sent again and again.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Option<String>,
}

impl Request {
    /// A GET without a tenant.
    pub(crate) fn get(path: impl Into<String>) -> Self {
        let headers = vec![("Host", "localhost".to_owned())];
        Self {
            method: "GET",
            path: path.into(),
            headers,
            body: None,
        }
    }

    /// A POST of a form.
    pub(crate) fn post_form(path: impl Into<String>, body: String) -> Self {
        let headers = vec![
            ("Host", "localhost".to_owned()),
            (
                "Content-Type",
                "application/x-www-form-urlencoded".to_owned(),
            ),
        ];
        Self {
            method: "POST",
            path: path.into(),
            headers,
            body: Some(body),
        }
    }

    /// The same with one header more, or another value for one that is there.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.retain(|(present, _)| *present != name);
        self.headers.push((name, value.into()));
        self
    }
}

/// One request per tenant, and how often each is sent.
pub(crate) struct Traffic {
    pub(crate) requests: Vec<Request>,
    pub(crate) mix: Mix,
}

/// The script for wrk.
pub(super) fn render(traffic: &Traffic) -> String {
    let mut text = String::from("local requests = {}\nfunction init(args)\n");
    for (index, request) in traffic.requests.iter().enumerate() {
        let headers: Vec<String> = request
            .headers
            .iter()
            .map(|(name, value)| format!("[{}] = {}", literal(name), literal(value)))
            .collect();
        let body = request
            .body
            .as_deref()
            .map_or_else(|| "nil".to_owned(), literal);
        let _ = writeln!(
            text,
            "  requests[{}] = wrk.format({}, {}, {{{}}}, {body})",
            index + 1,
            literal(request.method),
            literal(&request.path),
            headers.join(", "),
        );
    }
    let picks: Vec<String> = picks(traffic.requests.len(), traffic.mix)
        .map(|pick| (pick + 1).to_string())
        .collect();
    let _ = write!(text, "end\nlocal picks = {{{}}}\n", picks.join(","));
    text.push_str(LOOP);
    text
}

/// What wrk calls for each request, and once at the end.
const LOOP: &str = r#"
local turn = 0
function request()
  turn = turn % #picks + 1
  return requests[picks[turn]]
end
function done(summary, latency, _)
  local e = summary.errors
  io.write(string.format("RESULT requests=%d micros=%d p50=%d p99=%d refused=%d broken=%d\n",
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.status, e.connect + e.read + e.write + e.timeout))
end
"#;

/// Which request is sent when, always the same for the same number and mix.
fn picks(among: usize, mix: Mix) -> impl Iterator<Item = usize> {
    let weight = move |rank: usize| match mix {
        Mix::Uniform => 1.0,
        Mix::Zipf => 1.0 / rank as f64,
    };
    let ladder: Vec<f64> = (1..=among)
        .scan(0.0, |sum, rank| {
            *sum += weight(rank);
            Some(*sum)
        })
        .collect();
    let whole = ladder.last().copied().unwrap_or_default();
    let mut state = 0_u64;
    (0..PICKS).map(move |_| {
        let at = fraction(&mut state) * whole;
        ladder.partition_point(|&step| step <= at).min(among - 1)
    })
}

/// The next number of splitmix64, between nought and one.
fn fraction(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// A Lua string of these bytes and no others.
fn literal(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' | 0..0x20 | 0x7f.. => {
                let _ = write!(quoted, "\\{byte:03}");
            }
            _ => quoted.push(char::from(byte)),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uniform_traffic_meets_every_tenant_about_as_often() {
        let mut counts = [0; 100];
        picks(100, Mix::Uniform).for_each(|pick| counts[pick] += 1);
        assert!(
            counts.iter().all(|&count| (120..280).contains(&count)),
            "{counts:?}"
        );
    }

    #[test]
    fn zipf_traffic_meets_the_first_twice_as_often_as_the_second() {
        let mut counts = [0; 100];
        picks(100, Mix::Zipf).for_each(|pick| counts[pick] += 1);
        let ratio = f64::from(counts[0]) / f64::from(counts[1]);
        assert!((1.8..2.2).contains(&ratio), "{ratio}");
        assert!(counts.iter().all(|&count| count > 0), "{counts:?}");
    }

    #[test]
    fn the_order_is_the_same_every_time() {
        assert!(picks(7, Mix::Zipf).eq(picks(7, Mix::Zipf)));
    }

    #[test]
    fn nothing_escapes_from_a_literal() {
        assert_eq!(literal("a\"]\n\\é"), r#""a\034]\010\092\195\169""#);
    }

    #[test]
    fn a_script_holds_each_request_once() {
        let request = Request::get("/x").with("Host", "acme.localhost");
        let traffic = Traffic {
            requests: vec![request; 3],
            mix: Mix::Uniform,
        };
        let text = render(&traffic);
        assert_eq!(text.matches("wrk.format").count(), 3);
        assert!(
            text.contains(r#"["Host"] = "acme.localhost""#) && !text.contains(r#""localhost""#)
        );
    }
}
