//! Where notes are kept: in memory, read from a TOML or JSON file.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::RwLock;

use regex::RegexBuilder;
use serde::Deserialize;
use uuid::Uuid;

use crate::note::Note;

#[derive(Default)]
pub struct Store(RwLock<BTreeMap<Uuid, Note>>);

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    notes: Vec<Note>,
}

impl Store {
    pub fn load(path: &Path) -> Result<Self, Box<dyn std::error::Error>> {
        let text = std::fs::read_to_string(path)?;
        let file: File = match path.extension().and_then(|extension| extension.to_str()) {
            Some("json") => serde_json::from_str(&text)?,
            _ => toml::from_str(&text)?,
        };
        let store = Store::default();
        for note in file.notes {
            store.add(note);
        }
        Ok(store)
    }

    pub fn add(&self, note: Note) -> Uuid {
        let id = note.id;
        self.0.write().expect("no writer panics").insert(id, note);
        id
    }

    pub fn get(&self, id: Uuid) -> Option<Note> {
        self.0.read().expect("no writer panics").get(&id).cloned()
    }

    /// The newest first. Raises nothing but what is wrong with the pattern.
    pub fn search(&self, pattern: &str) -> Result<Vec<Note>, regex::Error> {
        let pattern = RegexBuilder::new(pattern).case_insensitive(true).size_limit(1 << 20).build()?;
        let notes = self.0.read().expect("no writer panics");
        let mut found: Vec<Note> =
            notes.values().filter(|note| pattern.is_match(&note.title) || pattern.is_match(&note.text)).cloned().collect();
        found.sort_by_key(|note| std::cmp::Reverse(note.written));
        Ok(found)
    }
}
