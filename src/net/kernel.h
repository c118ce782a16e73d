/* System calls past the C library, for those that every turn makes: what it adds to one (a variadic function to pass
 * through, errno) is 16 instructions, three times a request. It knows no call in particular. */
#ifndef NET_KERNEL_H
#define NET_KERNEL_H

#if defined __x86_64__

/* What the kernel returns: the result, or an errno below zero. */
/* NOLINTNEXTLINE(readability-function-size): a system call has six arguments */
static inline long kernel_call(long number, long a, long b, long c, long d, long e, long f)
{
    register long fourth __asm__("r10") = d;
    register long fifth __asm__("r8") = e;
    register long sixth __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth), "r"(fifth), "r"(sixth)
                     : "rcx", "r11", "memory");
    return result;
}

#else

#include <errno.h>
#include <unistd.h>

/* NOLINTNEXTLINE(readability-function-size): a system call has six arguments */
static inline long kernel_call(long number, long a, long b, long c, long d, long e, long f)
{
    long result = syscall(number, a, b, c, d, e, f);
    return result < 0 ? -errno : result;
}

#endif

#endif
