#include "common/sandbox/privileges.h"

#include <cerrno>
#include <vector>

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace holdfast::sandbox {
namespace {

constexpr int kMostCapabilities = 64;

// Only who has CAP_SETPCAP may; for others no_new_privs does it.
void empty_bounding_set() noexcept {
  for (int capability = 0; capability < kMostCapabilities; ++capability) ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
}

int become(const Identity& identity) noexcept {
  if (::setgroups(0, nullptr) != 0) return errno;
  if (::setresgid(identity.gid, identity.gid, identity.gid) != 0) return errno;
  if (::setresuid(identity.uid, identity.uid, identity.uid) != 0) return errno;
  return 0;
}

int drop_capabilities() noexcept {
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3]{};
  return ::syscall(SYS_capset, &header, none) == 0 ? 0 : errno;
}

}  // namespace

base::Result<std::optional<Identity>> find_account(const std::string& name) {
  std::vector<char> room(16 << 10);
  passwd entry{};
  passwd* found = nullptr;
  const int error = ::getpwnam_r(name.c_str(), &entry, room.data(), room.size(), &found);
  if (error != 0 && error != ENOENT) return base::fail_errno("account " + name, error);
  if (found == nullptr) return std::nullopt;
  return Identity{found->pw_uid, found->pw_gid};
}

int give_up_privileges(const Identity* identity) noexcept {
  if (::geteuid() == 0) empty_bounding_set();
  if (identity != nullptr) {
    if (const int error = become(*identity); error != 0) return error;
  } else if (::geteuid() == 0 && ::setgroups(0, nullptr) != 0 && errno != EPERM) {
    return errno;
  }
  if (const int error = drop_capabilities(); error != 0) return error;
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : errno;
}

}  // namespace holdfast::sandbox
