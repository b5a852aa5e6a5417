/* A probe that misbehaves when it is loaded. The deed is chosen with -DDEED=NAME; `cargo xtask field` builds one library of each.
   None has the entry function of a probe, so a host that survives the deed refuses the file. */

#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* The name of a process that must not outlive its worker. */
#define LEFT "hostile-left"

static void linger(void)
{
    prctl(PR_SET_NAME, LEFT);
    for (int second = 0; second < 600; second++)
        sleep(1);
    _exit(0);
}

/* A child that leaves the group and the session, and keeps the output open. */
__attribute__((unused)) static void escape(void)
{
    if (fork() == 0) {
        setsid();
        linger();
    }
}

/* The same, and this process leaves the session too and never ends. */
__attribute__((unused)) static void wander(void)
{
    escape();
    if (setsid() < 0)
        setpgid(0, getpgid(getppid()));
    for (;;)
        pause();
}

/* A grandchild whose parent has ended, without any output. */
__attribute__((unused)) static void orphan(void)
{
    if (fork() == 0) {
        setsid();
        if (fork() == 0) {
            for (int file = 0; file < 256; file++)
                close(file);
            linger();
        }
        _exit(0);
    }
}

/* The parent stands still, and so does this process. */
__attribute__((unused)) static void stop_parent(void)
{
    escape();
    kill(getppid(), SIGSTOP);
    pause();
}

/* Nobody is left who would end the child. */
__attribute__((unused)) static void kill_parent(void)
{
    escape();
    kill(getppid(), SIGKILL);
    pause();
}

static void write_to_sockets(const char *text, int is_endless)
{
    for (int file = 3; file < 256; file++) {
        struct stat found;
        if (fstat(file, &found) != 0 || !S_ISSOCK(found.st_mode))
            continue;
        do {
            if (send(file, text, strlen(text), MSG_NOSIGNAL) < 0)
                break;
        } while (is_endless);
    }
}

/* A reply that has nothing to do with the request. */
__attribute__((unused)) static void forge(void)
{
    write_to_sockets("{\"Calibrated\":[]}\n", 0);
    _exit(0);
}

/* A reply without an end. */
__attribute__((unused)) static void endless(void)
{
    static char text[1 << 16];
    memset(text, 'x', sizeof text - 1);
    write_to_sockets(text, 1);
    _exit(0);
}

/* No end of loading. */
__attribute__((unused)) static void hang(void)
{
    for (;;)
        pause();
}

/* The same, without an ear for any signal that can be refused. */
__attribute__((unused)) static void block_signals(void)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    hang();
}

/* Neither a reply nor an end, and nothing left to speak with. */
__attribute__((unused)) static void close_files(void)
{
    for (int file = 0; file < 256; file++)
        close(file);
    hang();
}

/* Hardly anything is allowed afterwards, to this process and to its parent, on one processor. */
__attribute__((unused)) static void limit(void)
{
    struct rlimit few = { 4, 4 }, none = { 0, 0 };
    cpu_set_t first;
    CPU_ZERO(&first);
    CPU_SET(0, &first);
    pid_t processes[] = { 0, getppid() };
    for (size_t index = 0; index < 2; index++) {
        prlimit(processes[index], RLIMIT_NOFILE, &few, NULL);
        prlimit(processes[index], RLIMIT_FSIZE, &none, NULL);
        prlimit(processes[index], RLIMIT_MEMLOCK, &none, NULL);
        sched_setaffinity(processes[index], sizeof first, &first);
    }
}

/* A write to where nothing is. */
__attribute__((unused)) static void crash(void)
{
    volatile int *volatile nowhere = (volatile int *)16;
    *nowhere = 1;
}

/* An end by its own hand. */
__attribute__((unused)) static void give_up(void)
{
    abort();
}

/* An end that looks like success, without a word. */
__attribute__((unused)) static void leave(void)
{
    _exit(0);
}

/* Everything that memory can be had for. */
__attribute__((unused)) static void hoard(void)
{
    for (;;) {
        char *volatile page = malloc(1 << 20);
        if (page == NULL)
            abort();
        memset(page, 1, 1 << 20);
    }
}

__attribute__((constructor)) static void loaded(void)
{
    DEED();
}
