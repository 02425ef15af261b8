//! `report FILE`: what each account of a ledger holds.

use anyhow::{Context, Result};
use lexopt::prelude::*;

const EDITION: &str = "@mark@";

fn main() -> Result<()> {
    let mut file = None;
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("edition") => println!("{EDITION}"),
            Value(word) => file = Some(word.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let text = std::fs::read_to_string(file.context("which ledger?")?)?;
    for (account, cents) in ledger::balance(&ledger::read(&text)?) {
        println!("{account} {cents}");
    }
    Ok(())
}
