fn main() {
    println!("tideclock is up");
}
