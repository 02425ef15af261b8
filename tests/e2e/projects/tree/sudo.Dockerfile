FROM dockfix-e2e/agent-@mark@
RUN echo 'Acquire::Retries "3";' | sudo tee /etc/apt/apt.conf.d/80-retries
RUN sudo apt-get update && \
    sudo apt-get install -y --no-install-recommends tree && \
    sudo rm -rf /var/lib/apt/lists/*
CMD ["tree", "--version"]
