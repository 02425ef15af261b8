//! Answers `GET /` with a sign of life. One static program, for an image that holds nothing else.

use std::env;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};

const SIGN: &str = "alive @mark@";

fn main() -> io::Result<()> {
    let address = env::args().nth(1).unwrap_or_else(|| "0.0.0.0:8080".to_owned());
    if address == "--once" {
        return io::stdout().write_all(&answer(b"GET / HTTP/1.1\r\n\r\n"));
    }
    for stream in TcpListener::bind(address)?.incoming() {
        serve(stream?)?;
    }
    Ok(())
}

fn serve(mut stream: TcpStream) -> io::Result<()> {
    let mut request = [0; 4096];
    let read = stream.read(&mut request)?;
    stream.write_all(&answer(&request[..read]))
}

fn answer(request: &[u8]) -> Vec<u8> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut parsed = httparse::Request::new(&mut headers);
    let (status, body) = match parsed.parse(request) {
        Ok(httparse::Status::Complete(_)) if parsed.path == Some("/") => ("200 OK", SIGN),
        Ok(_) => ("404 Not Found", "nothing here"),
        Err(_) => ("400 Bad Request", "what?"),
    };
    let mut length = itoa::Buffer::new();
    let length = length.format(body.len());
    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes()
}
