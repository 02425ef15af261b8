/* A stand-in for a compiled program: needs no library and no shell, and prints what was appended to it after the last
   line that says STAND-IN. The stand-ins of compilers append what their source said. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void) {
    FILE *self = fopen("/proc/self/exe", "rb");
    if (!self) return 70;
    fseek(self, 0, SEEK_END);
    long size = ftell(self), from = size > 4096 ? size - 4096 : 0;
    char *text = malloc(size - from + 1);
    fseek(self, from, SEEK_SET);
    size = fread(text, 1, size - from, self);
    static const char start[] = "\nSTAND-" "IN\n";
    for (long at = size - (long)sizeof start + 1; at >= 0; at--)
        if (!memcmp(text + at, start, sizeof start - 1)) {
            at += sizeof start - 1;
            fwrite(text + at, 1, size - at, stdout);
            return 0;
        }
    return 70;
}
