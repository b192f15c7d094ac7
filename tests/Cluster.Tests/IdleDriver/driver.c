/* A CUDA driver that does nothing: memory is the processor's, modules are taken as they are, and launches are only checked for the limits of a card.
   It stands for the real one where host code is tested without a GPU. IDLE_DRIVER_FAIL=name makes a function fail:
   init (no device), module (a kernel is refused, with a log), memory (a card with 1 MiB), capture (streams cannot be captured), graph (a graph cannot be
   made), launch (a graph cannot be launched), wait (a kernel has failed, as all waits from the 21st on say). IDLE_DRIVER_COUNTS=file: at the end of the process it holds the numbers of launches, of captured launches, of graphs, of their launches, and of
   times that a second stream was captured with the first. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define E __attribute__((visibility("default")))

static int handles[16];

/* A stream that is captured: 1 by itself, 2 by waiting for one that is; then it has to be waited for before the capture ends. */
struct stream { int capturing, unjoined; };

/* What was copied while a stream was captured; a launch of the graph copies it. */
struct copy { void *to; const void *from; size_t bytes; };
struct graph { struct copy *copies; int count; };

static struct graph *open_graph;
static long launches, captured, graphs, graph_launches, forks;

__attribute__((destructor)) static void count(void) {
  const char *path = getenv("IDLE_DRIVER_COUNTS");
  FILE *file = path && launches ? fopen(path, "w") : NULL;
  if (!file) return;
  fprintf(file, "launches=%ld captured=%ld graphs=%ld graphLaunches=%ld forks=%ld\n", launches, captured, graphs, graph_launches, forks);
  fclose(file);
}

/* 0 if a stream may be used now; what is left out of a capture by mistake would run at once. */
static int misused(struct stream *stream) {
  if (open_graph && !stream->capturing) {
    fprintf(stderr, "idle driver: a stream is used beside a capture\n");
    return 900;
  }
  if (stream->capturing == 2) stream->unjoined = 1;
  return 0;
}

/* Of the calling thread; a launch without one is refused, as by the real driver. */
static __thread void *current;

static int fails(const char *what) {
  const char *wanted = getenv("IDLE_DRIVER_FAIL");
  return wanted && !strcmp(wanted, what);
}

static size_t memory(void) { return fails("memory") ? 1 << 20 : (size_t)8 << 30; }

E int cuInit(unsigned flags) { return fails("init") ? 100 : 0; }
E int cuDriverGetVersion(int *version) { *version = 13000; return 0; }
E int cuGetErrorString(int error, const char **text) { *text = error == 100 ? "no CUDA-capable device is detected" : "refused"; return 0; }
E int cuGetErrorName(int error, const char **text) { *text = error == 100 ? "CUDA_ERROR_NO_DEVICE" : "CUDA_ERROR_UNKNOWN"; return 0; }
E int cuDeviceGetCount(int *count) { *count = 1; return 0; }
E int cuDeviceGet(int *device, int index) { *device = index; return 0; }
E int cuDeviceGetName(char *name, int length, int device) { snprintf(name, length, "Idle card"); return 0; }
E int cuDeviceTotalMem_v2(size_t *bytes, int device) { *bytes = memory(); return 0; }
E int cuDeviceGetAttribute(int *value, int attribute, int device) {
  switch (attribute) {
    case 1: case 2: case 3: *value = 1024; break;      /* threads of a group, and in x and y */
    case 4: *value = 64; break;                        /* in z */
    case 5: *value = 2147483647; break;                /* groups in x */
    case 6: case 7: *value = 65535; break;             /* in y and z */
    case 8: *value = 49152; break;                     /* shared memory of a group */
    case 10: *value = 32; break;                       /* warp */
    case 12: case 82: *value = 65536; break;           /* registers */
    case 13: *value = 1980000; break;                  /* clock */
    case 16: *value = 132; break;                      /* multiprocessors */
    case 39: *value = 2048; break;                     /* threads of a multiprocessor */
    case 75: *value = 9; break;                        /* compute capability 9.0 */
    case 76: *value = 0; break;
    case 81: *value = 233472; break;                   /* shared memory of a multiprocessor */
    default: *value = 1;
  }
  return 0;
}
E int cuCtxCreate_v2(void **context, unsigned flags, int device) { current = *context = handles; return 0; }
E int cuCtxDestroy_v2(void *context) { return 0; }
E int cuCtxSetCurrent(void *context) { current = context; return 0; }
E int cuCtxGetCurrent(void **context) { *context = current; return 0; }
E int cuCtxSynchronize(void) { return 0; }
E int cuCtxGetCacheConfig(int *config) { *config = 0; return 0; }
E int cuCtxSetCacheConfig(int config) { return 0; }
E int cuCtxGetSharedMemConfig(int *config) { *config = 0; return 0; }
E int cuCtxSetSharedMemConfig(int config) { return 0; }
E int cuMemAlloc_v2(void **pointer, size_t bytes) { if (!current) return 201; *pointer = calloc(1, bytes); return *pointer ? 0 : 2; }
E int cuMemFree_v2(void *pointer) { free(pointer); return 0; }
E int cuMemGetInfo_v2(size_t *free_bytes, size_t *total) { *free_bytes = *total = memory(); return 0; }
E int cuMemcpyAsync(void *to, const void *from, size_t bytes, void *stream) {
  if (!current) return 201;
  if (misused(stream)) return 900;
  if (open_graph) {
    open_graph->copies = realloc(open_graph->copies, sizeof(struct copy) * (open_graph->count + 1));
    open_graph->copies[open_graph->count++] = (struct copy){to, from, bytes};
  } else {
    memcpy(to, from, bytes);
  }
  return 0;
}
E int cuMemcpyHtoD_v2(void *to, const void *from, size_t bytes) { memcpy(to, from, bytes); return 0; }
E int cuMemcpyDtoH_v2(void *to, const void *from, size_t bytes) { memcpy(to, from, bytes); return 0; }
E int cuMemsetD8Async(void *to, unsigned char value, size_t bytes, void *stream) {
  if (misused(stream)) return 900;
  memset(to, value, bytes);
  return 0;
}
E int cuStreamCreate(void **stream, unsigned flags) { *stream = calloc(1, sizeof(struct stream)); return 0; }
E int cuStreamCreateWithPriority(void **stream, unsigned flags, int priority) { return cuStreamCreate(stream, flags); }
E int cuStreamDestroy_v2(void *stream) { free(stream); return 0; }
E int cuStreamSynchronize(void *stream) {
  static int waits;
  if (fails("wait") && ++waits > 20) return 700;
  if (open_graph) fprintf(stderr, "idle driver: a wait while a stream is captured\n");
  return open_graph ? 900 : 0;
}
E int cuModuleLoadDataEx(void **module, const char *text, unsigned options, int *kinds, void **values) {
  if (fails("module")) {
    for (unsigned i = 0; i + 1 < options; i++)
      if (kinds[i] == 5) snprintf(values[i], (size_t)values[i + 1], "ptxas fatal: refused on purpose");
    return 218;
  }
  *module = handles + 2;
  return 0;
}
E int cuModuleLoadData(void **module, const char *text) { *module = handles + 2; return fails("module") ? 218 : 0; }
E int cuModuleUnload(void *module) { return 0; }
E int cuModuleGetFunction(void **function, void *module, const char *name) { *function = handles + 3; return 0; }
E int cuFuncGetAttribute(int *value, int attribute, void *function) { *value = 32; return 0; }
E int cuFuncSetAttribute(void *function, int attribute, int value) { return 0; }
E int cuLaunchKernel(void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared, void *stream,
                     void **arguments, void **extra) {
  if (!current) {
    fprintf(stderr, "idle driver: a launch by a thread without a context\n");
    return 201;
  }
  if (!gx || !gy || !gz || !bx || !by || !bz || gy > 65535 || gz > 65535 || bx * by * bz > 1024 || shared > 49152) {
    fprintf(stderr, "idle driver: no card launches %u x %u x %u groups of %u x %u x %u threads with %u bytes\n", gx, gy, gz, bx, by, bz, shared);
    return 1;
  }
  if (misused(stream)) return 900;
  launches++;
  captured += open_graph != NULL;
  return 0;
}
E int cuStreamBeginCapture_v2(void *stream, int mode) {
  if (!stream || open_graph || fails("capture")) return 900;
  ((struct stream *)stream)->capturing = 1;
  open_graph = calloc(1, sizeof(struct graph));
  return 0;
}
static struct stream *second;
E int cuStreamEndCapture(void *stream, void **graph) {
  int unjoined = second && second->unjoined;
  if (second) second->capturing = second->unjoined = 0;
  second = NULL;
  ((struct stream *)stream)->capturing = 0;
  *graph = unjoined ? NULL : open_graph;
  open_graph = NULL;
  if (unjoined) fprintf(stderr, "idle driver: a capture ends before its second stream has been waited for\n");
  return unjoined ? 904 : 0;
}
E int cuGraphInstantiateWithFlags(void **executable, void *graph, unsigned long long flags) {
  if (fails("graph")) return 801;
  /* As a real one does, it keeps what it needs of the graph. */
  *executable = memcpy(malloc(sizeof(struct graph)), graph, sizeof(struct graph));
  graphs++;
  return 0;
}
E int cuGraphLaunch(void *executable, void *stream) {
  struct graph *graph = executable;
  if (!current) return 201;
  if (fails("launch")) return 999;
  graph_launches++;
  for (int i = 0; i < graph->count; i++) memcpy(graph->copies[i].to, graph->copies[i].from, graph->copies[i].bytes);
  return 0;
}
E int cuGraphExecDestroy(void *executable) { free(executable); return 0; }
E int cuGraphDestroy(void *graph) { free(graph); return 0; }
E int cuOccupancyMaxPotentialBlockSize(int *grid, int *block, void *function, void *callback, size_t shared, int limit) { *grid = 132; *block = 256; return 0; }
E int cuOccupancyMaxActiveBlocksPerMultiprocessor(int *count, void *function, int block, size_t shared) { *count = 2; return 0; }
E int cuPointerGetAttribute(void *data, int attribute, void *pointer) { return 0; }
E int cuMemHostRegister_v2(void *pointer, size_t bytes, unsigned flags) { return 0; }
E int cuMemHostUnregister(void *pointer) { return 0; }
E int cuMemAllocHost_v2(void **pointer, size_t bytes) { *pointer = malloc(bytes); return 0; }
E int cuMemFreeHost(void *pointer) { free(pointer); return 0; }
E int cuMemHostGetDevicePointer_v2(void **device, void *pointer, unsigned flags) { *device = pointer; return 0; }
E int cuEventCreate(void **event, unsigned flags) { *event = calloc(1, sizeof(void *)); return 0; }
E int cuEventDestroy_v2(void *event) { free(event); return 0; }
E int cuEventRecord(void *event, void *stream) { *(void **)event = stream; return 0; }
E int cuEventSynchronize(void *event) { return 0; }
E int cuEventQuery(void *event) { return 0; }
E int cuEventElapsedTime(float *milliseconds, void *from, void *to) { *milliseconds = 1; return 0; }
E int cuStreamWaitEvent(void *stream, void *event, unsigned flags) {
  struct stream *follower = stream, *leader = *(struct stream **)event;
  if (!leader) return 400;
  if (leader->capturing == 1 && !follower->capturing) {
    follower->capturing = 2;
    second = follower;
    forks++;
  } else if (leader->capturing == 2) {
    leader->unjoined = 0;
  }
  return 0;
}
