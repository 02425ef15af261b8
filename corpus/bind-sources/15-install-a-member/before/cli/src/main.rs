fn main() {
    println!("tern-cli");
}
