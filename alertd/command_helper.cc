#include "alertd/command_helper.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>
#include <string_view>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "alertd/program.h"
#include "common/base/codec.h"
#include "common/config/load.h"

namespace holdfast::alertd {
namespace {

constexpr std::size_t kMostBytes = 192 << 10;  // of one message: a Unix socket's buffer holds as much
constexpr int kHelperFd = 3;

struct Request {
  std::uint64_t id = 0;
  std::vector<Fact> facts;
  std::string input;
  template <class V>
  void fields(V&& v) { v(id, facts, input); }
};

struct Reply {
  std::uint64_t id = 0;
  bool ok = false;
  std::string said;
  template <class V>
  void fields(V&& v) { v(id, ok, said); }
};

template <class Message>
bool send(int fd, const Message& message) {
  const std::string bytes = base::encode(message);
  return ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT) == static_cast<ssize_t>(bytes.size());
}

enum class Read { kMessage, kNothing, kEnd };

Read receive(int fd, std::string& out) {
  out.resize(kMostBytes);
  const ssize_t n = ::recv(fd, out.data(), out.size(), MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return Read::kNothing;
  if (n <= 0) return Read::kEnd;
  out.resize(static_cast<std::size_t>(n));
  return Read::kMessage;
}

// Nothing that the dynamic linker or a shell would obey.
std::vector<std::string> environment_of(const std::vector<Fact>& facts) {
  std::vector<std::string> out;
  for (const auto& [key, value] : facts) {
    std::string name = "HOLDFAST_";
    for (const char c : key) {
      const bool lower = c >= 'a' && c <= 'z';
      name += lower ? static_cast<char>(c - 'a' + 'A') : (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ? c : '_';
    }
    out.push_back(name + '=' + value.substr(0, value.find('\0')));
  }
  return out;
}

class Helper {
 public:
  explicit Helper(std::string config_file)
      : config_file_(std::move(config_file)), watch_(loop_, kHelperFd, net::Watch::For::kRead, [this] { on_request(); }) {
    watch_.on();
  }

  void run() { loop_.run(); }

 private:
  void on_request() {
    std::string bytes;
    const Read read = receive(kHelperFd, bytes);
    if (read == Read::kNothing) return;
    const auto request = read == Read::kMessage ? base::decode<Request>(bytes) : std::nullopt;
    if (request) return begin(*request);
    watch_.off();
    loop_.stop();
  }

  void begin(const Request& request) {
    const auto config = config::load_alone(config_file_);
    if (!config) return answer({request.id, false, config.error().text});
    if (config->alerts.command.empty()) return answer({request.id, false, "no command is set any more"});
    const Program::Task task{.words = config->alerts.command, .environment = environment_of(request.facts),
                             .input = request.input, .limit = config->alerts.command_limit};
    programs_[request.id] = std::make_unique<Program>(loop_, task, [this, id = request.id](const Answer& done) {
      auto node = programs_.extract(id);
      loop_.bury(std::move(node.mapped()));
      answer({id, done.ok, done.said});
    });
  }

  void answer(const Reply& reply) { (void)send(kHelperFd, reply); }

  net::Loop loop_;
  const std::string config_file_;
  std::map<std::uint64_t, std::unique_ptr<Program>> programs_;
  net::Watch watch_;
};

// The words of the command line lie behind one another.
void set_title(int argc, char** argv, std::string_view title) {
  ::prctl(PR_SET_NAME, std::string(title).c_str(), 0, 0, 0);
  if (argc == 0 || argv == nullptr) return;
  const char* const end = argv[argc - 1] + std::strlen(argv[argc - 1]);
  const auto room = static_cast<std::size_t>(end - argv[0]);
  std::memset(argv[0], 0, room);
  std::memcpy(argv[0], title.data(), std::min(room, title.size()));
}

[[noreturn]] void serve(std::string config_file, int fd, int argc, char** argv) {
  // The end of alertd is the end of this, and nothing else is: what ends a whole group of processes comes by there, too.
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::signal(number, SIG_IGN);
  ::dup2(fd, kHelperFd);
  ::syscall(SYS_close_range, static_cast<unsigned>(kHelperFd) + 1, ~0U, 0U);
  ::fcntl(kHelperFd, F_SETFD, FD_CLOEXEC);
  set_title(argc, argv, "alertd-command");
  Helper(std::move(config_file)).run();
  ::_exit(0);
}

}  // namespace

base::Result<base::UniqueFd> start_command_helper(std::string config_file, int argc, char** argv) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return base::fail_errno("socketpair", errno);
  base::UniqueFd ours(ends[0]), theirs(ends[1]);
  const pid_t pid = ::fork();
  if (pid < 0) return base::fail_errno("fork", errno);
  if (pid == 0) {
    ours.reset();
    serve(std::move(config_file), theirs.release(), argc, argv);
  }
  return ours;
}

CommandRunner::CommandRunner(net::Loop& loop, base::UniqueFd helper, std::function<void()> gone)
    : loop_(loop),
      helper_(std::move(helper)),
      gone_(std::move(gone)),
      watch_(loop, helper_.get(), net::Watch::For::kRead, [this] { on_answer(); }) {
  watch_.on();
}

CommandRunner::~CommandRunner() { *alive_ = false; }

void CommandRunner::later(Done done, Answer answer) {
  loop_.later([alive = alive_, done = std::move(done), answer = std::move(answer)] {
    if (*alive) done(answer);
  });
}

void CommandRunner::run(const std::vector<Fact>& facts, const std::string& input, Done done) {
  const Request request{.id = ++last_, .facts = facts, .input = input};
  if (!send(helper_.get(), request)) return later(std::move(done), {false, base::fail_errno("command", errno).error().text});
  waiting_[request.id] = std::move(done);
}

void CommandRunner::on_answer() {
  std::string bytes;
  const Read read = receive(helper_.get(), bytes);
  if (read == Read::kNothing) return;
  const auto reply = read == Read::kMessage ? base::decode<Reply>(bytes) : std::nullopt;
  if (reply) {
    auto node = waiting_.extract(reply->id);
    if (!node.empty()) later(std::move(node.mapped()), {reply->ok, reply->said});
    return;
  }
  watch_.off();
  for (auto& [id, done] : std::exchange(waiting_, {})) later(std::move(done), {false, "the process that runs commands has ended"});
  loop_.later([alive = alive_, gone = gone_] {
    if (*alive) gone();
  });
}

}  // namespace holdfast::alertd
