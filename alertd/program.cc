#include "alertd/program.h"

#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/panic.h"
#include "common/base/text.h"

namespace holdfast::alertd {
namespace {

constexpr std::size_t kMostInput = 64 << 10, kMostSaid = 300;

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> out;
  for (const auto& word : words) out.push_back(const_cast<char*>(word.c_str()));
  out.push_back(nullptr);
  return out;
}

// After fork() in a process with threads: nothing but system calls.
[[noreturn]] void become(int input, int output, char* const* words, char* const* environment) {
  ::setsid();
  ::dup2(input, 0);
  ::dup2(output, 1);
  ::dup2(output, 2);
  ::syscall(SYS_close_range, 3U, ~0U, 0U);
  struct sigaction usual {};
  usual.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) ::sigaction(number, &usual, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (::chdir("/") != 0) ::_exit(126);
  ::execve(words[0], words, environment);
  ::_exit(127);
}

std::string end_text(int status) {
  if (WIFSIGNALED(status)) return fmt::format("signal {}", WTERMSIG(status));
  if (WEXITSTATUS(status) == 127) return "exit 127: it cannot be run";
  return fmt::format("exit {}", WEXITSTATUS(status));
}

}  // namespace

Program::Program(net::Loop& loop, const Task& task, Done done)
    : loop_(loop), done_(std::move(done)), limit_(loop, [this] {
        killed_ = true;
        ::kill(-pid_, SIGKILL);
      }), allowed_(task.limit) {
  if (auto fault = launch(task); !fault.empty()) {
    loop_.later([this, alive = alive_, fault] {
      if (*alive) end({false, fault});
    });
  }
}

Program::~Program() {
  *alive_ = false;
  if (pid_ == 0) return;
  ::kill(-pid_, SIGKILL);
  ::kill(pid_, SIGKILL);  // it may not have come to its setsid() yet
  ::waitpid(pid_, nullptr, 0);
}

// "" or why it does not run.
std::string Program::launch(const Task& task) {
  int in[2], out[2];
  if (::pipe2(in, O_CLOEXEC) != 0) return base::fail_errno("pipe", errno).error().text;
  base::UniqueFd in_read(in[0]), in_write(in[1]);
  if (::pipe2(out, O_CLOEXEC) != 0) return base::fail_errno("pipe", errno).error().text;
  base::UniqueFd out_read(out[0]), out_write(out[1]);
  ::fcntl(in_write.get(), F_SETFL, O_NONBLOCK);
  ::fcntl(out_read.get(), F_SETFL, O_NONBLOCK);
  (void)base::write_all(in_write.get(), std::string_view(task.input).substr(0, kMostInput));  // a pipe holds as much
  auto environment = task.environment;
  environment.insert(environment.end(), {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"});
  const auto words = pointers(task.words), variables = pointers(environment);
  const pid_t pid = ::fork();
  if (pid < 0) return base::fail_errno("fork", errno).error().text;
  if (pid == 0) become(in_read.get(), out_write.get(), words.data(), variables.data());
  pid_ = pid;
  output_ = std::move(out_read);
  exited_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  base::expect(static_cast<bool>(exited_), "no descriptor for a child (Linux 5.3)");
  output_watch_ = std::make_unique<net::Watch>(loop_, output_.get(), net::Watch::For::kRead, [this] { on_output(); });
  output_watch_->on();
  exit_watch_ = std::make_unique<net::Watch>(loop_, exited_.get(), net::Watch::For::kRead, [this] { on_exit(); });
  exit_watch_->on();
  limit_.start(std::chrono::duration_cast<net::Millis>(task.limit));
  return "";
}

void Program::on_output() {
  char chunk[4096];
  for (;;) {
    const ssize_t n = ::read(output_.get(), chunk, sizeof chunk);
    if (n < 0 && errno == EINTR) continue;
    if (n == 0) output_watch_->off();
    if (n <= 0) return;
    said_.append(chunk, std::min(static_cast<std::size_t>(n), kMostSaid - said_.size()));
  }
}

void Program::on_exit() {
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return;
  ::kill(-pid_, SIGKILL);  // what it has left behind in its session
  pid_ = 0;
  limit_.stop();
  exit_watch_->off();
  on_output();
  output_watch_->off();
  std::string text = killed_ ? fmt::format("killed after {} s", allowed_.count()) : end_text(status);
  if (const auto said = base::trim(said_); !said.empty()) text += fmt::format(": {}", base::printable(said));
  end({!killed_ && WIFEXITED(status) && WEXITSTATUS(status) == 0, text});
}

void Program::end(Answer answer) {
  loop_.later([alive = alive_, done = std::move(done_), answer = std::move(answer)] {
    if (*alive) done(answer);
  });
}

}  // namespace holdfast::alertd
