// What the engine and its keeper say to each other (design D15). No other header of the project comes here: the keeper
// is a program of its own.
//
// The channel is a SOCK_SEQPACKET pair; the keeper finds its end as descriptor 0. Every datagram is one Request or one
// Reply in the machine's own byte order: both ends are of one build, and `version` is there to notice when they are
// not.
//
//   engine → keeper
//     start    with SCM_RIGHTS: the sealed memfd of the start block, then the child's descriptors: those of the
//     standard
//              three that `standard` names (bit 0 stdin, 1 stdout, 2 stderr; the others are /dev/null), then `more` for
//              3, 4, …
//     signal   `number` goes to the process group of the child; nothing happens if it has ended.
//     watch    holds the process `number`, which another process of the keeper's has forked, and all that it starts, to
//              the limits of the request; nothing happens if there is no such process. The end of the process ends it.
//     unwatch  ends a watch, and asks for `unwatched`.
//   keeper → engine, in this order for each token
//     started  `number` is the pid
//     failed   `number` is the errno of the step of the start that failed; the last word about the token
//     unwatched  the last word about a watch
//     exceeded `number` is a LimitKind: the child or watched process, and all that it has started, have been killed for
//              it. `max_resident_kib` or `user_microseconds` is what they used.
//     ended    `number` is the status of wait(2); the group and all descendants of the child are dead. The last word.
//
// The start block is a StartBlock, followed by strings that each end in NUL: the working directory (absolute), the
// program, `arguments` times an argument (argv[0] first), `environment` times NAME=value.
#pragma once

#include <cstddef>
#include <cstdint>

namespace venvoy::os::internal::keeper_protocol {

inline constexpr std::uint32_t version = 2;

// More cannot be started anyhow: Linux takes at most 6 MiB of arguments and environment.
inline constexpr std::size_t max_start_block = 8u << 20;
// Far below SCM_MAX_FD (253), which is what one datagram can carry.
inline constexpr std::uint32_t max_more = 128;
inline constexpr std::size_t max_descriptors = 1 + 3 + max_more;

enum class RequestKind : std::uint32_t { start = 1, signal = 2, watch = 3, unwatch = 4 };

// 0: no limit. Memory and processor time are those of a process and all that it has started; each of them may open so
// many files.
struct Limits {
  std::uint64_t memory_bytes = 0;
  std::uint64_t processor_microseconds = 0;
  std::uint64_t open_files = 0;
};

enum class LimitKind : std::int32_t { memory = 1, processor_time = 2 };

struct Request {
  std::uint32_t version = keeper_protocol::version;
  RequestKind kind = RequestKind::start;
  std::uint64_t token = 0;  // chosen by the engine, never used twice
  std::int32_t number = 0;
  std::uint32_t standard = 0;
  std::uint32_t more = 0;
  std::uint32_t reserved = 0;
  Limits limits = {};  // of start and watch
};
static_assert(sizeof(Request) == 56);

enum class ReplyKind : std::uint32_t { started = 1, failed = 2, ended = 3, exceeded = 4, unwatched = 5 };

// A flag of `ended`: the kernel kept the limit on memory (a cgroup), not a look at the processes now and then.
inline constexpr std::uint32_t memory_by_kernel = 1;

struct Reply {
  std::uint32_t version = keeper_protocol::version;
  ReplyKind kind = ReplyKind::started;
  std::uint64_t token = 0;
  std::int32_t number = 0;
  std::uint32_t flags = 0;
  // With `ended`: of the process and the descendants that it has waited for.
  std::int64_t user_microseconds = 0;
  std::int64_t system_microseconds = 0;
  std::int64_t max_resident_kib = 0;
};
static_assert(sizeof(Reply) == 48);

struct StartBlock {
  std::uint64_t file_limit = 0;  // the child's soft RLIMIT_NOFILE, if its limits name none
  std::uint32_t arguments = 0;
  std::uint32_t environment = 0;
};
static_assert(sizeof(StartBlock) == 16);

}  // namespace venvoy::os::internal::keeper_protocol
