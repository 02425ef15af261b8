"""What single tools do, as data: one module a tool. Asked by codemods; knows nothing of Dockerfiles."""
