fn main() {
    println!("bot is up");
}
