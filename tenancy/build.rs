//! Has this crate compiled again when a migration comes or goes: the macro that embeds them is only
//! asked when a source changes.

fn main() {
    println!("cargo::rerun-if-changed=../tenant-migrations");
}
