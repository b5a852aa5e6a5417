/* Not a probe: a library that says how the process is confined that loads it, in the last line that the process prints. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Prints the lines of `file` that begin with `begin`, with spaces for tabs and semicolons for their ends. */
static void print_lines(const char *file, const char *begin)
{
    char line[512];
    FILE *found = fopen(file, "r");
    if (found == NULL)
        return;
    while (fgets(line, sizeof line, found) != NULL) {
        if (strncmp(line, begin, strlen(begin)) != 0)
            continue;
        for (char *letter = line; *letter != '\0'; letter++) {
            if (*letter == '\t')
                *letter = ' ';
            if (*letter == '\n')
                *letter = ';';
        }
        fputs(line, stderr);
    }
    fclose(found);
}

__attribute__((constructor)) static void tell(void)
{
    fputs("confined;", stderr);
    print_lines("/proc/self/status", "CapEff:");
    print_lines("/proc/self/status", "NoNewPrivs:");
    print_lines("/proc/self/status", "Seccomp:");
    print_lines("/proc/self/cgroup", "0::");
    fputs("\n", stderr);
    _exit(3);
}
