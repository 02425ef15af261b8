fn main() {
    println!("tern-server");
}
