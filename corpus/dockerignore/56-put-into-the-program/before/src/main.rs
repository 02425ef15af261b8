const PAGE: &str = include_str!("../target/page.html");
fn main() {}
