/*
 * Runs a command and prints the most memory that it held, in bytes, on a line of stderr. A program of its own, since
 * the kernel counts what a child shared with its parent before it became the command: this parent is small.
 */

#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct rusage usage;
    int status;
    if (argc < 2) {
        fputs("usage: peak_memory COMMAND [ARGUMENT]...\n", stderr);
        return 1;
    }
    pid_t child = fork();
    if (child == 0) {
        execvp(argv[1], argv + 1);
        perror(argv[1]);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &usage) < 0) {
        perror("peak_memory");
        return 1;
    }
    fprintf(stderr, "%lld\n", (long long)usage.ru_maxrss * 1024);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
