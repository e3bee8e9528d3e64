/* Standard input to its end, standard output and error; what they are. */
#include <sys/ioctl.h>
#include <termios.h>

#include "abi.h"

int main(void)
{
    char line[100];
    unsigned lines = 0;
    struct termios t;
    struct winsize size;
    struct stat st;

    say("terminals: %d %d", isatty(0), isatty(1));
    SHOW(ioctl(0, TCGETS, &t));
    SHOW(ioctl(0, TIOCGWINSZ, &size));
    SHOW(lseek(1, 0, SEEK_CUR) >= 0 || errno == ESPIPE);
    NEED(fstat(0, &st) == 0);
    while (fgets(line, sizeof line, stdin))
        say("%u: %zu bytes, %.10s", ++lines, strlen(line), line);
    say("end of file: %d", feof(stdin) != 0);
    SHOW(read(0, line, 10));
    printf("by printf %d %s %.3f %c\n", -7, "text", 3.14159, 'x');
    fflush(stdout);
    puts("by puts");
    fprintf(stderr, "to stderr\n");
    fputs("not flushed by hand\n", stdout);
    return done();
}
