FROM cimg/base:2026.01
ARG MARK=@mark@
RUN sudo apt-get update && \
    sudo apt-get install -y --no-install-recommends tree && \
    sudo rm -rf /var/lib/apt/lists/*
CMD ["tree", "--version"]
