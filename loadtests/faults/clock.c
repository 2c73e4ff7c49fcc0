/* A clock of the day that can be wrong: preloaded into a process (LD_PRELOAD), it adds to CLOCK_REALTIME the
 * nanoseconds that stand in the file CHAOS_CLOCK, which is mapped, so that a running clock can be set. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define NANOS 1000000000LL

static const volatile int64_t right = 0;
static const volatile int64_t *ahead = &right;
static int (*real)(clockid_t, struct timespec *);

__attribute__((constructor)) static void begin(void) {
  real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  const char *path = getenv("CHAOS_CLOCK");
  int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  if (file < 0) return;
  void *page = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
  close(file);
  if (page != MAP_FAILED) ahead = page;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
  if (!real) begin();
  int status = real(clock, time);
  if (status || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE)) return status;
  int64_t nanos = time->tv_sec * NANOS + time->tv_nsec + *ahead;
  time->tv_sec = nanos / NANOS;
  time->tv_nsec = nanos % NANOS;
  return 0;
}

int gettimeofday(struct timeval *restrict day, void *restrict zone) {
  (void)zone;
  struct timespec time;
  int status = clock_gettime(CLOCK_REALTIME, &time);
  day->tv_sec = time.tv_sec;
  day->tv_usec = time.tv_nsec / 1000;
  return status;
}

time_t time(time_t *out) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (out) *out = now.tv_sec;
  return now.tv_sec;
}
