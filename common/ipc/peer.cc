#include "common/ipc/peer.h"

#include <sys/socket.h>
#include <unistd.h>

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

}  // namespace holdfast::ipc
