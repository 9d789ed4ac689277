#include "common/ipc/peer.h"

#include <cstdlib>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/file.h"

namespace holdfast::ipc {
namespace {

bool g_own_account_commands = true;

}  // namespace

std::optional<uid_t> peer_uid(int socket) {
  ucred peer{};
  socklen_t length = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0 || length != sizeof peer) return std::nullopt;
  return peer.uid;
}

bool may_speak(uid_t peer) { return peer == 0 || peer == ::geteuid(); }

void let_own_account_command(bool may) { g_own_account_commands = may; }

bool may_command(uid_t peer) { return peer == 0 || (g_own_account_commands && peer == ::geteuid()); }

std::string web_mark(const std::string& run_folder) { return run_folder + "/webd.pid"; }

bool is_webd(int socket, const std::string& run_folder) {
  ucred peer{};
  socklen_t length = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0 || length != sizeof peer) return false;
  const base::UniqueFd fd(::open(web_mark(run_folder).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  struct stat about {};
  if (!fd || ::fstat(fd.get(), &about) != 0 || about.st_uid != 0) return false;
  char text[32]{};
  return ::read(fd.get(), text, sizeof text - 1) > 0 && peer.pid > 0 && std::atol(text) == peer.pid;
}

}  // namespace holdfast::ipc
