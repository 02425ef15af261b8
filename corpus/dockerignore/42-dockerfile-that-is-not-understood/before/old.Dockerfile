FROM debian
FETCH target
