fn main() {
    println!("ferryd is up");
}
