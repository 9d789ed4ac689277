// Who is at the other end of a Unix socket, by the kernel's word, and what he may ask (decision 14).
#pragma once

#include <optional>

#include <sys/types.h>

namespace holdfast::ipc {

// The uid of who has connected, or of who made the pair (SO_PEERCRED); nothing: no such socket.
std::optional<uid_t> peer_uid(int socket);

// Only root and our own account may speak with us at all.
bool may_speak(uid_t peer);

// Whether our own account may give commands (ipc::Control), as root may. It may unless master is root and we are not:
// then whoever has taken over a daemon would have the admin's hand. Said once, before anything is served.
void let_own_account_command(bool may);
bool may_command(uid_t peer);

}  // namespace holdfast::ipc
