//! `post FILE DATE ACCOUNT AMOUNT`: adds a booking to a ledger.

use std::fs::OpenOptions;
use std::io::Write;

use anyhow::{Context, Result};
use ledger::Booking;
use lexopt::prelude::*;

fn main() -> Result<()> {
    let mut words = Vec::new();
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Value(word) => words.push(word.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let (file, words) = words.split_first().context("which ledger?")?;
    let booking: Booking = words.join(" ").parse()?;
    writeln!(OpenOptions::new().create(true).append(true).open(file)?, "{booking}")?;
    Ok(())
}
