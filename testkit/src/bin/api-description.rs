//! Prints the description of the whole API as JSON: for tools that check it.

#[tokio::main(flavor = "current_thread")]
#[allow(clippy::print_stdout, clippy::unwrap_used)]
async fn main() {
    let description = testkit::description::whole();
    println!("{}", description.to_pretty_json().unwrap());
}
