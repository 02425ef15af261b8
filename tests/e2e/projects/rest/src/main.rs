const VERSION: &str = "e1";

fn main() {
    let mut buffer = itoa::Buffer::new();
    println!("rest {VERSION} @mark@ {}", buffer.format(200));
}
