//! Counts the words of its standard input.

use std::io::{self, Read};

fn main() -> io::Result<()> {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text)?;
    println!("@mark@ {}", itoa::Buffer::new().format(text.split_whitespace().count()));
    Ok(())
}
