target "pack" {
  context = "."
  dockerfile-inline = <<EOT
FROM debian:bookworm-slim
COPY target/release/ferry /ferry
EOT
}
