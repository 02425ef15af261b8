//! A small notes server: Markdown in, HTML out, with tags and a search. Enough code to need its dependencies.

mod note;
mod page;
mod store;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Html;
use axum::routing::get;
use axum::{Json, Router};
use clap::Parser;
use serde::{Deserialize, Serialize};
use tower_http::compression::CompressionLayer;
use tower_http::trace::TraceLayer;
use uuid::Uuid;

use crate::note::Note;
use crate::page::Pages;
use crate::store::Store;

#[derive(Parser)]
struct Options {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// A file of notes to start with.
    #[arg(long)]
    notes: Option<PathBuf>,
    /// Print one note as a page and stop.
    #[arg(long)]
    render: Option<String>,
}

struct Service {
    store: Store,
    pages: Pages,
}

#[derive(Deserialize)]
struct Search {
    #[serde(default)]
    pattern: String,
}

#[derive(Deserialize)]
struct Draft {
    title: String,
    text: String,
}

#[derive(Serialize)]
struct Created {
    id: Uuid,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().with_env_filter(tracing_subscriber::EnvFilter::from_default_env()).init();
    let options = Options::parse();
    let pages = Pages::new()?;
    if let Some(text) = options.render {
        println!("{}", pages.note(&Note::new("Preview", &text))?);
        return Ok(());
    }
    let store = match options.notes {
        Some(path) => Store::load(&path)?,
        None => Store::default(),
    };
    let service = Arc::new(Service { store, pages });
    let routes = Router::new()
        .route("/", get(search).post(create))
        .route("/notes/{id}", get(show))
        .layer(CompressionLayer::new())
        .layer(TraceLayer::new_for_http())
        .with_state(service);
    let listener = tokio::net::TcpListener::bind(options.listen).await?;
    tracing::info!(address = %options.listen, "listening");
    axum::serve(listener, routes)
        .with_graceful_shutdown(async {
            let _ = tokio::signal::ctrl_c().await;
        })
        .await?;
    Ok(())
}

async fn search(
    State(service): State<Arc<Service>>,
    Query(search): Query<Search>,
) -> Result<Html<String>, (StatusCode, String)> {
    let found = service.store.search(&search.pattern).map_err(bad_request)?;
    service.pages.list(&search.pattern, &found).map(Html).map_err(broken)
}

async fn show(
    State(service): State<Arc<Service>>,
    Path(id): Path<Uuid>,
) -> Result<Html<String>, (StatusCode, String)> {
    let note = service.store.get(id).ok_or((StatusCode::NOT_FOUND, format!("there is no note {id}")))?;
    service.pages.note(&note).map(Html).map_err(broken)
}

async fn create(State(service): State<Arc<Service>>, Json(draft): Json<Draft>) -> (StatusCode, Json<Created>) {
    let id = service.store.add(Note::new(&draft.title, &draft.text));
    (StatusCode::CREATED, Json(Created { id }))
}

fn bad_request(error: impl std::fmt::Display) -> (StatusCode, String) {
    (StatusCode::BAD_REQUEST, error.to_string())
}

fn broken(error: impl std::fmt::Display) -> (StatusCode, String) {
    tracing::error!(%error, "cannot render");
    (StatusCode::INTERNAL_SERVER_ERROR, "cannot render".to_string())
}
