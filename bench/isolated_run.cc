#include "bench/isolated_run.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace firn::bench {
namespace {

// A message is one line of JSON.
void Send(int pipe, const std::string& line) {
  const std::string bytes = line + "\n";
  for (size_t sent = 0; sent < bytes.size();) {
    const ssize_t written = write(pipe, bytes.data() + sent, bytes.size() - sent);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) _exit(1);  // the parent is gone
    sent += static_cast<size_t>(written);
  }
}

std::string ReceiveLine(int pipe) {
  std::string line;
  char buffer[4096];
  while (line.empty() || line.back() != '\n') {
    const ssize_t got = read(pipe, buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    line.append(buffer, static_cast<size_t>(got));
  }
  return line;
}

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

[[noreturn]] void RunChild(int pipe, bool kill_at_end, ChildRun run) {
  const absl::StatusOr<JobResult> result = run([&](const JobResult& so_far) {
    if (!kill_at_end) return;
    Send(pipe, Dump(ToJson(so_far)));
    for (;;) pause();  // until the parent kills us
  });
  if (result.ok()) {
    Send(pipe, Dump(ToJson(*result)));
  } else {
    Send(pipe, Dump(Json{{"error", std::string(result.status().message())},
                         {"code", static_cast<int>(result.status().code())}}));
  }
  // No destructors of what the parent owns, and no second flush of its output.
  _exit(0);
}

absl::StatusOr<JobResult> Understand(const std::string& line, int wait_status, bool was_killed) {
  const bool ended_well = WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0;
  if (line.empty() || (!ended_well && !was_killed)) {
    return absl::InternalError(
        WIFSIGNALED(wait_status)
            ? absl::StrCat("the process of the job died of signal ", WTERMSIG(wait_status))
            : absl::StrCat("the process of the job ended with exit code ",
                           WEXITSTATUS(wait_status)));
  }
  const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (json.is_object() && json.contains("error")) {
    return absl::Status(static_cast<absl::StatusCode>(json.value("code", 13)),
                        json.value("error", ""));
  }
  return JobResultFromJson(line);
}

}  // namespace

absl::StatusOr<JobResult> RunInChild(bool kill_at_end, ChildRun run) {
  int ends[2];
  if (pipe(ends) != 0) return ErrnoStatus(errno, "make a pipe");
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) {
    const int error = errno;
    close(ends[0]);
    close(ends[1]);
    return ErrnoStatus(error, "fork");
  }
  if (child == 0) {
    close(ends[0]);
    RunChild(ends[1], kill_at_end, run);
  }
  close(ends[1]);
  const std::string line = ReceiveLine(ends[0]);
  close(ends[0]);
  if (kill_at_end) kill(child, SIGKILL);
  int wait_status = 0;
  while (waitpid(child, &wait_status, 0) < 0 && errno == EINTR) {
  }
  return Understand(line, wait_status, kill_at_end);
}

}  // namespace firn::bench
