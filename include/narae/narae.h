/* SPDX-License-Identifier: Apache-2.0
 * The C ABI of Narae: compile a model for this machine, save it, load it, run it; ask a language model. This is the
 * only stable interface.
 * The one thing not to get wrong: set every struct with its *_INIT macro (its size travels as its version), and keep
 * the memory of a bound input alive until the run that reads it has returned.
 *
 * Conventions
 *   Handles     opaque. Each *_free accepts NULL. Handles may be freed in any order: what another handle still needs
 *               stays alive behind it.
 *   Errors      every call that can fail returns a narae_status and takes `narae_error** error` last. It may be NULL;
 *               otherwise on failure it receives an error to be freed, on success it is left untouched. After a
 *               failure the out parameters are unchanged.
 *   Strings     UTF-8, NUL-terminated. Those returned belong to the handle they were asked from and live as long.
 *   Threads     a runtime, an engine, an executor and a request may be used from any number of threads at once; a
 *               session from one at a time, but for narae_session_cancel. Sessions and executors on separate core sets
 *               run at the same time; those on one core set take turns.
 *   Units       *_ms milliseconds, *_bytes bytes, dims in elements, outermost first.
 */
#ifndef NARAE_NARAE_H_
#define NARAE_NARAE_H_

#include <stddef.h>
#include <stdint.h>

#define NARAE_API __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

/* Grows when functions or fields are added; nothing is ever removed or re-ordered. */
#define NARAE_API_VERSION 2
/* What the loaded library implements: not below the NARAE_API_VERSION the caller was compiled with, or do not go on. */
NARAE_API uint32_t narae_api_version(void);
/* The release, such as "0.1.0". */
NARAE_API const char* narae_version(void);

/* ---- errors ---- */

/* The values up to NARAE_DIFFERS are also the exit codes of the narae command. */
typedef enum narae_status {
  NARAE_OK = 0,
  NARAE_FAILED = 1,       /* could not be done: I/O, disk full, missing helper */
  NARAE_USAGE = 2,        /* the caller asked for something that does not exist, or in the wrong order */
  NARAE_BAD_FILE = 3,     /* the file is damaged, of another kind, or uses what Narae does not know */
  NARAE_DOES_NOT_FIT = 4, /* a shape outside the profile, a wrong dtype, the memory limit */
  NARAE_DIFFERS = 5,      /* never returned by this interface; the command uses it */
  NARAE_INTERNAL = 6,     /* a bug of Narae: please report it */
  NARAE_CANCELLED = 7     /* the progress callback or narae_session_cancel asked for it */
} narae_status;

typedef struct narae_error narae_error;

/* "ok", "failed", "usage", ... */
NARAE_API const char* narae_status_name(narae_status status);
NARAE_API narae_status narae_error_status(const narae_error* error);
/* What is wrong and what to do about it, without the context. */
NARAE_API const char* narae_error_message(const narae_error* error);
/* Where, outermost first, such as {`onnx "bert.onnx"`, `node "/enc/0/MatMul"`}; NULL when index >= count. */
NARAE_API size_t narae_error_context_count(const narae_error* error);
NARAE_API const char* narae_error_context(const narae_error* error, size_t index);
/* All of it in one line: frame > frame > message. */
NARAE_API const char* narae_error_text(const narae_error* error);
NARAE_API void narae_error_free(narae_error* error);

/* ---- tensors ---- */

typedef enum narae_dtype {
  NARAE_F32 = 1,
  NARAE_F64 = 2,
  NARAE_F16 = 3,
  NARAE_BF16 = 4,
  NARAE_I8 = 5,
  NARAE_I16 = 6,
  NARAE_I32 = 7,
  NARAE_I64 = 8,
  NARAE_U8 = 9,
  NARAE_U16 = 10,
  NARAE_U32 = 11,
  NARAE_U64 = 12,
  NARAE_BOOL = 13, /* one byte, 0 or 1 */
  /* No types: they make every int a value, so that a wrong one can be refused. */
  NARAE_DTYPE_ANY_INT = 0x7fffffff,
  NARAE_DTYPE_ANY_NEGATIVE = -0x7fffffff - 1
} narae_dtype;

/* "f32", ...; NULL for a number that is none. */
NARAE_API const char* narae_dtype_name(narae_dtype dtype);
/* Bytes of one element; 0 for a number that is none. */
NARAE_API size_t narae_dtype_size(narae_dtype dtype);

/* A dense row-major tensor in host memory, owned by someone else; Narae never writes through it. */
typedef struct narae_tensor {
  size_t struct_size;
  const void* data;    /* aligned to the element at least; may be NULL when a dim is 0 */
  const int64_t* dims; /* [rank] */
  int32_t rank;
  narae_dtype dtype;
} narae_tensor;
#define NARAE_TENSOR_INIT \
  { sizeof(narae_tensor), NULL, NULL, 0, NARAE_F32 }

/* What an engine says about an input or an output. */
typedef struct narae_value_info {
  size_t struct_size;
  const char* name;
  const int64_t* dims;        /* [rank]; -1 where the size is not fixed */
  const char* const* symbols; /* [rank]; NULL where fixed, else the dim as text: "N", "floordiv(W, 8)" */
  int32_t rank;
  narae_dtype dtype;
} narae_value_info;
#define NARAE_VALUE_INFO_INIT \
  { sizeof(narae_value_info), NULL, NULL, NULL, 0, NARAE_F32 }

/* ---- runtime: the device, its core sets, one memory account ---- */

typedef struct narae_runtime narae_runtime;

typedef struct narae_runtime_options {
  size_t struct_size;
  const char* device;          /* NULL = "cpu"; names are those of `narae devices` */
  const char* isa;             /* NULL = "auto"; a lower instruction set of the device, to test or to reproduce */
  const char* cache_dir;       /* timing cache and calibration; NULL = keep nothing on disk */
  uint64_t memory_limit_bytes; /* weights, arenas and the rest together; 0 = none */
  int32_t threads;             /* per core set, the caller's among them; 0 = usable cores / core_sets */
  int32_t core_sets;           /* separate sets of cores, each running one session at a time; at least 1 */
  int32_t deterministic;       /* 1: a result depends on its own row only; what has no such kernel runs slowly */
  const char* activations;     /* rows before weights in blocks (GGUF): NULL or "int8" = in 8 bits; "fp32" = slower */
} narae_runtime_options;
#define NARAE_RUNTIME_OPTIONS_INIT \
  { sizeof(narae_runtime_options), NULL, NULL, NULL, 0, 0, 1, 0, NULL }

/* options NULL = the defaults. NARAE_USAGE: unknown device, isa or activations, more threads than usable
 * cores. */
NARAE_API narae_status narae_runtime_create(const narae_runtime_options* options, narae_runtime** runtime,
                                            narae_error** error);
NARAE_API void narae_runtime_free(narae_runtime* runtime);

/* ---- engine: a compiled model, immutable ---- */

typedef struct narae_engine narae_engine;

/* Called now and then from the thread that builds: `done` of `total` steps of `stage` (total 0: unknown).
 * Return 0 to go on, anything else to cancel. It must not throw. */
typedef int (*narae_progress_fn)(void* user, const char* stage, int64_t done, int64_t total);

typedef struct narae_build_options {
  size_t struct_size;
  const char* passes;     /* NULL = "all"; "none", or "-NAME,-NAME" to leave some out (`narae explain` lists them) */
  const char* min_shapes; /* profile, "NAME:1x3x224x224,..": what the engine must accept ... */
  const char* opt_shapes; /* ... is made fastest for ... */
  const char* max_shapes; /* ... and at most accepts. NULL = every shape the model allows, planned at first sight */
  narae_progress_fn progress;
  void* progress_user;
  int32_t opt_level; /* 0-2 choose by the cost model, 3-5 measure with a growing time budget */
} narae_build_options;
#define NARAE_BUILD_OPTIONS_INIT \
  { sizeof(narae_build_options), NULL, NULL, NULL, NULL, NULL, NULL, 2 }

typedef struct narae_engine_stats {
  size_t struct_size;
  double build_ms;        /* import, passes, selection; 0 when loaded from an engine file */
  double load_ms;         /* from the call to an engine ready for sessions, build_ms among it */
  uint64_t weights_bytes; /* constants in the form that runs, once for all sessions */
  uint64_t tuned;         /* choices timed while building */
  uint64_t cache_hits;    /* choices taken from the timing cache instead */
} narae_engine_stats;
#define NARAE_ENGINE_STATS_INIT \
  { sizeof(narae_engine_stats), 0, 0, 0, 0, 0 }

/* Compiles the model at `path` (an .onnx file) for the runtime's device; an engine file (.narae) is only loaded, and
 * `options` count only where it holds nothing for this machine and is planned anew. options NULL = the defaults.
 * The file stays mapped while the engine lives: it may be deleted or replaced, but not written to.
 * NARAE_BAD_FILE: missing, unreadable, damaged, or names operators Narae lacks (all of them in one message).
 * NARAE_DOES_NOT_FIT: profile against the model, memory limit. NARAE_USAGE: unknown pass or input name, shapes given
 * for an engine file. */
NARAE_API narae_status narae_engine_build(narae_runtime* runtime, const char* path, const narae_build_options* options,
                                          narae_engine** engine, narae_error** error);
/* Loads an engine file (mapped, not read). One saved on a machine with other instruction sets is planned anew.
 * NARAE_BAD_FILE: truncated, damaged, of a newer version, or no engine file. */
NARAE_API narae_status narae_engine_load(narae_runtime* runtime, const char* path, narae_engine** engine,
                                         narae_error** error);
/* Writes an engine file, whole or not at all: an existing file is replaced only by a complete one. */
NARAE_API narae_status narae_engine_save(const narae_engine* engine, const char* path, narae_error** error);
NARAE_API void narae_engine_free(narae_engine* engine);

/* Inputs and outputs in the order of the model. What `info` points at lives as long as the engine.
 * NARAE_USAGE: index >= count. */
NARAE_API size_t narae_engine_input_count(const narae_engine* engine);
NARAE_API size_t narae_engine_output_count(const narae_engine* engine);
NARAE_API narae_status narae_engine_input(const narae_engine* engine, size_t index, narae_value_info* info,
                                          narae_error** error);
NARAE_API narae_status narae_engine_output(const narae_engine* engine, size_t index, narae_value_info* info,
                                           narae_error** error);
/* What the model's author left under `key` (ONNX metadata_props; kept in the engine file); NULL when there is none. */
NARAE_API const char* narae_engine_metadata(const narae_engine* engine, const char* key);
NARAE_API narae_status narae_engine_get_stats(const narae_engine* engine, narae_engine_stats* stats,
                                              narae_error** error);

/* ---- session: mutable run state of an engine on one core set ---- */

typedef struct narae_session narae_session;

typedef struct narae_session_options {
  size_t struct_size;
  int32_t core_set; /* 0 .. core_sets - 1 of the runtime */
} narae_session_options;
#define NARAE_SESSION_OPTIONS_INIT \
  { sizeof(narae_session_options), 0 }

typedef struct narae_session_stats {
  size_t struct_size;
  double prepare_ms;    /* planning for the shapes of the last run; 0 when they were those of the run before */
  double run_ms;        /* the last run, without prepare */
  uint64_t runs;        /* completed */
  uint64_t arena_bytes; /* memory of intermediate values and workspaces for the last run's shapes */
  uint64_t arena_lower_bound_bytes; /* the most of it alive at one time: no plan could take less */
} narae_session_stats;
#define NARAE_SESSION_STATS_INIT \
  { sizeof(narae_session_stats), 0, 0, 0, 0, 0 }

/* options NULL = core set 0. NARAE_DOES_NOT_FIT: memory limit. */
NARAE_API narae_status narae_session_create(narae_engine* engine, const narae_session_options* options,
                                            narae_session** session, narae_error** error);
NARAE_API void narae_session_free(narae_session* session);

/* Binds input `index`. dims are copied; data is read in place by every following run until bound again.
 * NARAE_USAGE: index >= count, a number that is no dtype, data NULL or not aligned to its element.
 * NARAE_DOES_NOT_FIT: dtype, rank or a fixed dim differ from the engine's. After a failure the input is bound as
 * before. */
NARAE_API narae_status narae_session_bind(narae_session* session, size_t index, const narae_tensor* tensor,
                                          narae_error** error);
/* Runs once and returns when the outputs are complete; the calling thread computes too. New shapes inside the profile
 * cost a short planning, not a build. NARAE_USAGE: an input is not bound. NARAE_DOES_NOT_FIT: shapes outside the
 * profile or at odds with each other (the message names the guard). NARAE_CANCELLED: see below. After any failure
 * there are no outputs; the session can run again. */
NARAE_API narae_status narae_session_run(narae_session* session, narae_error** error);
/* A view of output `index` of the last run, valid until the next run or narae_session_free.
 * NARAE_USAGE: index >= count, or no completed run. */
NARAE_API narae_status narae_session_output(narae_session* session, size_t index, narae_tensor* tensor,
                                            narae_error** error);
/* From any thread or a signal handler: the run in progress ends soon with NARAE_CANCELLED; no run: no effect. */
NARAE_API void narae_session_cancel(narae_session* session);
NARAE_API narae_status narae_session_get_stats(const narae_session* session, narae_session_stats* stats,
                                               narae_error** error);

/* ---- executor: a language model that answers requests, batching them in flight ---- */

typedef struct narae_executor narae_executor;

typedef struct narae_executor_options {
  size_t struct_size;
  const char* passes; /* as in narae_build_options */
  narae_progress_fn progress;
  void* progress_user;
  int64_t kv_pages;     /* pages of keys and values; 0 = for 8192 tokens, or one context where that is less */
  int64_t max_queue;    /* requests that wait; one more is refused */
  int32_t max_batch;    /* sequences computed together */
  int32_t step_tokens;  /* tokens that go through the model at a time; above max_batch */
  int32_t page_size;    /* tokens of a page */
  narae_dtype kv;       /* how keys and values are kept: NARAE_F32, NARAE_F16, NARAE_BF16 */
  int32_t prefix_cache; /* not 0: a prompt uses the pages of earlier ones that begin alike */
  int32_t core_set;     /* 0 .. core_sets - 1 of the runtime */
  int32_t opt_level;    /* as in narae_build_options */
} narae_executor_options;
#define NARAE_EXECUTOR_OPTIONS_INIT \
  { sizeof(narae_executor_options), NULL, NULL, NULL, 0, 1024, 8, 512, 16, NARAE_F32, 1, 0, 2 }

typedef struct narae_executor_info {
  size_t struct_size;
  double load_ms;
  uint64_t weights_bytes;
  uint64_t kv_bytes;  /* keys, values and what else lives from step to step */
  int64_t context;    /* tokens of a sequence at most, prompt and answer together */
  int64_t vocabulary; /* tokens are 0 .. vocabulary - 1 */
  int32_t has_chat;   /* 1: there is a chat template, so requests may hold messages */
} narae_executor_info;
#define NARAE_EXECUTOR_INFO_INIT \
  { sizeof(narae_executor_info), 0, 0, 0, 0, 0, 0 }

typedef struct narae_executor_stats {
  size_t struct_size;
  int64_t queued;  /* requests that wait */
  int64_t running; /* sequences admitted, now */
  int64_t steps;   /* from here on: since it was created */
  int64_t computed_tokens;
  int64_t cached_tokens;  /* of prompts, found in pages instead */
  int64_t sampled_tokens; /* of answers */
  int64_t preemptions;    /* sequences that lost their pages and computed them again */
  int64_t pages_used;     /* now */
  int64_t pages_total;
} narae_executor_stats;
#define NARAE_EXECUTOR_STATS_INIT \
  { sizeof(narae_executor_stats), 0, 0, 0, 0, 0, 0, 0, 0, 0 }

/* Compiles the language model at `path` (a .gguf file or a Hugging Face folder) and starts to serve it: two threads of
 * its own, one that computes and one that calls back. options NULL = the defaults.
 * NARAE_BAD_FILE: as narae_engine_build, and a model that continues no text. NARAE_USAGE: options that cannot be.
 * NARAE_DOES_NOT_FIT: weights or pages are beyond the memory limit. */
NARAE_API narae_status narae_executor_create(narae_runtime* runtime, const char* path,
                                             const narae_executor_options* options, narae_executor** executor,
                                             narae_error** error);
/* Cancels what is under way and returns after the last callback; what was answered can still be read from the
 * requests. Never from a callback. */
NARAE_API void narae_executor_free(narae_executor* executor);
NARAE_API narae_status narae_executor_get_info(const narae_executor* executor, narae_executor_info* info,
                                               narae_error** error);
NARAE_API narae_status narae_executor_get_stats(const narae_executor* executor, narae_executor_stats* stats,
                                                narae_error** error);

/* Text to tokens as a request does it: the model's first token before it, special tokens written out become their ids.
 * Writes at most `capacity` ids and sets *count to how many there are. NARAE_USAGE: not UTF-8. */
NARAE_API narae_status narae_executor_tokenize(const narae_executor* executor, const char* text, int32_t* ids,
                                               size_t capacity, size_t* count, narae_error** error);
/* The same for messages, a JSON list of {"role", "content"}, by the model's template. */
NARAE_API narae_status narae_executor_tokenize_chat(const narae_executor* executor, const char* messages, int32_t* ids,
                                                    size_t capacity, size_t* count, narae_error** error);
/* Tokens to text, without the special ones. Writes at most `capacity` bytes, no NUL, and sets *bytes to how many there
 * are. NARAE_USAGE: an id that is none. */
NARAE_API narae_status narae_executor_detokenize(const narae_executor* executor, const int32_t* ids, size_t count,
                                                 char* text, size_t capacity, size_t* bytes, narae_error** error);

/* ---- request: a prompt and its answers ---- */

typedef struct narae_request narae_request;

typedef struct narae_logit_bias {
  int32_t token;
  float bias;
} narae_logit_bias;

/* How tokens are chosen; the same seed, prompt and settings give the same choice whatever runs beside it. */
typedef struct narae_sampling {
  size_t struct_size;
  int64_t max_tokens;
  int64_t min_tokens; /* no stop id before */
  uint64_t seed;
  const narae_logit_bias* logit_bias; /* [logit_bias_count] */
  size_t logit_bias_count;
  const char* const* stops; /* [stop_count]: texts that end an answer and are no part of it */
  size_t stop_count;
  const int32_t* stop_ids; /* [stop_id_count]: tokens that do, with the model's own */
  size_t stop_id_count;
  float temperature; /* 0: always the most likely token */
  float top_p;       /* only the most likely whose probabilities sum up to it; 1: off */
  float min_p;       /* only those of at least this share of the highest probability; 0: off */
  float repetition_penalty;
  float presence_penalty;
  float frequency_penalty;
  int32_t top_k;        /* only the k most likely; 0: off */
  int32_t n;            /* answers (branches), 1 to 16 */
  int32_t ignore_eos;   /* not 0: the model's own stop ids end nothing */
  int32_t top_logprobs; /* that many likeliest tokens are told for each place of the answer, 0 to 20 */
} narae_sampling;
#define NARAE_SAMPLING_INIT \
  { sizeof(narae_sampling), 128, 0, 0, NULL, 0, NULL, 0, NULL, 0, 1, 1, 0, 1, 0, 0, 0, 1, 0, 0 }

/* The logarithm of a token's probability by the model's logits as they came, before temperature, penalties and bias. */
typedef struct narae_token_logprob {
  int32_t token;
  float logprob;
} narae_token_logprob;

typedef enum narae_finish {
  NARAE_FINISH_NONE = 0,      /* it goes on */
  NARAE_FINISH_STOP = 1,      /* a stop id or a stop text */
  NARAE_FINISH_LENGTH = 2,    /* max_tokens or the context is reached */
  NARAE_FINISH_CANCELLED = 3, /* narae_request_cancel, a callback, narae_executor_free */
  NARAE_FINISH_EXPIRED = 4,   /* timeout_ms, or nobody read the answer */
  NARAE_FINISH_FAILED = 5
} narae_finish;

/* A token of an answer, the end of a branch, or both. Each branch ends with exactly one piece whose finish is not
 * NARAE_FINISH_NONE. */
typedef struct narae_piece {
  size_t struct_size;
  const char* text; /* what became certain, NUL-terminated: whole characters, none of a text that may be a stop */
  size_t text_bytes;
  const narae_error* error; /* where finish is NARAE_FINISH_FAILED or NARAE_FINISH_EXPIRED, else NULL */
  int32_t branch;           /* 0 .. n - 1 */
  int32_t token;            /* -1: only text or an end */
  float logprob;            /* of the token */
  narae_finish finish;
  const narae_token_logprob* top; /* [top_count], likeliest first: what could have come in the token's place */
  size_t top_count;               /* sampling.top_logprobs, or the vocabulary where that is smaller; 0: no token */
} narae_piece;
#define NARAE_PIECE_INIT \
  { sizeof(narae_piece), NULL, 0, NULL, 0, -1, 0, NARAE_FINISH_NONE, NULL, 0 }

/* Called from the executor's thread, one call at a time; what `piece` points at is gone when it returns. Return 0 to go
 * on, anything else to cancel. It must not throw, and a slow one holds up all callbacks. */
typedef int (*narae_piece_fn)(void* user, const narae_piece* piece);

typedef struct narae_request_options {
  size_t struct_size;
  const int32_t* tokens; /* the prompt is one of: [token_count] ids, */
  size_t token_count;
  const char* text;               /* a text, */
  const char* messages;           /* a JSON list of {"role", "content"} */
  const narae_sampling* sampling; /* NULL = the defaults */
  narae_piece_fn on_piece;        /* NULL: the caller asks narae_request_next */
  void* user;
  double timeout_ms; /* an answer that is not complete by then ends; 0 = none */
  uint64_t salt;     /* requests of different salts share no pages */
  int32_t priority;  /* higher first */
} narae_request_options;
#define NARAE_REQUEST_OPTIONS_INIT \
  { sizeof(narae_request_options), NULL, 0, NULL, NULL, NULL, NULL, NULL, 0, 0, 0 }

/* Everything is copied. NARAE_USAGE: no prompt or several, a sampling value that cannot be (named in the message),
 * not UTF-8, no chat template. NARAE_FAILED: the queue is full. What only the batcher can see, such as a prompt beyond
 * the context, ends the request instead. `request` may be NULL where on_piece is not. */
NARAE_API narae_status narae_executor_enqueue(narae_executor* executor, const narae_request_options* options,
                                              narae_request** request, narae_error** error);
/* Cancels it unless it has ended; no callback of it runs any more when it returns, unless it is called from one. */
NARAE_API void narae_request_free(narae_request* request);
/* From any thread: every branch ends soon, with NARAE_FINISH_CANCELLED. */
NARAE_API void narae_request_cancel(narae_request* request);

/* Blocks for the next piece: *got = 1, and it is valid until the next call. *got = 0: all branches have ended. Up to
 * 65536 tokens wait to be fetched; an answer that has more is held back, and ends after half a minute of that.
 * NARAE_USAGE: the request has a callback. */
NARAE_API narae_status narae_request_next(narae_request* request, narae_piece* piece, int32_t* got,
                                          narae_error** error);
/* Blocks until all branches have ended and the last callback has returned. Returns what the request failed with:
 * NARAE_CANCELLED, or the status of its error; branches that ended before are whole all the same. Never from a
 * callback (NARAE_USAGE). */
NARAE_API narae_status narae_request_wait(narae_request* request, narae_error** error);

/* A branch as a whole. */
typedef struct narae_answer {
  size_t struct_size;
  const char* text; /* NUL-terminated */
  size_t text_bytes;
  const int32_t* tokens; /* [token_count], the stop id among them */
  const float* logprobs; /* [token_count] */
  size_t token_count;
  narae_finish finish;
  const narae_token_logprob* top; /* [token_count, top_count], likeliest first */
  size_t top_count;               /* of each token */
} narae_answer;
#define NARAE_ANSWER_INIT \
  { sizeof(narae_answer), NULL, 0, NULL, NULL, 0, NARAE_FINISH_NONE, NULL, 0 }

typedef struct narae_request_stats {
  size_t struct_size;
  double first_token_ms; /* from enqueue until it was read; 0: there was none */
  double total_ms;
  int64_t prompt_tokens;
  int64_t cached_tokens; /* of the prompt, found in pages */
  int64_t new_tokens;    /* of all branches */
  int64_t preemptions;
} narae_request_stats;
#define NARAE_REQUEST_STATS_INIT \
  { sizeof(narae_request_stats), 0, 0, 0, 0, 0, 0 }

/* Both once the request has ended: NARAE_USAGE before. What they point at lives as long as the request. */
NARAE_API narae_status narae_request_answer(const narae_request* request, int32_t branch, narae_answer* answer,
                                            narae_error** error);
NARAE_API narae_status narae_request_get_stats(const narae_request* request, narae_request_stats* stats,
                                               narae_error** error);

#ifdef __cplusplus
}
#endif

#endif /* NARAE_NARAE_H_ */
