#include <stdio.h>

int main(void) { puts("left e1 @mark@"); }
