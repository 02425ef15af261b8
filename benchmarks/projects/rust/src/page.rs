//! Notes as pages.

use handlebars::{Handlebars, RenderError, TemplateError};
use serde_json::json;

use crate::note::Note;

pub struct Pages(Handlebars<'static>);

impl Pages {
    pub fn new() -> Result<Self, Box<TemplateError>> {
        let mut templates = Handlebars::new();
        templates.set_strict_mode(true);
        templates.register_template_string("list", include_str!("../templates/list.html")).map_err(Box::new)?;
        templates.register_template_string("note", include_str!("../templates/note.html")).map_err(Box::new)?;
        Ok(Pages(templates))
    }

    pub fn list(&self, pattern: &str, notes: &[Note]) -> Result<String, RenderError> {
        self.0.render("list", &json!({ "pattern": pattern, "notes": notes }))
    }

    pub fn note(&self, note: &Note) -> Result<String, RenderError> {
        let written = note.written.format("%Y-%m-%d %H:%M").to_string();
        let values = json!({ "title": note.title, "written": written, "tags": note.tags(), "body": note.html() });
        self.0.render("note", &values)
    }
}
