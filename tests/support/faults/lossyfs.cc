// A file system that passes everything through to a folder and writes down every change in order, so that a test
// can make the disk as a power cut at any moment may leave it (tests/support/power_cut.py).
//
//   lossyfs MOUNTPOINT BACKING LOG [SYNC_MS]     stays in the foreground until it is unmounted (fusermount3 -u)
//
// One thing is done at a time, so the order of the log is the order in which things happened; what a test writes to
// MOUNTPOINT/.mark stands in it too, between what was done before and after. Nothing is ever synced to the real
// disk: what that promises is in the log. BACKING must be empty. With SYNC_MS each sync takes so many milliseconds,
// as a slow disk's would, while all else goes on.
#define FUSE_USE_VERSION 314

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include <dirent.h>
#include <fcntl.h>
#include <fuse.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/faults/operation_log.h"

namespace {

using namespace holdfast::faults;

constexpr std::string_view kMarkFile = "/.mark";
constexpr std::uint64_t kRoot = 1, kMarkNode = 0;

struct Handle {
  int fd = -1;  // none for the mark file
  std::uint64_t node = kMarkNode;
  bool durable = false;  // O_DSYNC
};

struct Disk {
  std::string backing;
  OperationLog log;
  std::map<std::string, std::uint64_t> nodes{{"/", kRoot}};  // by path; a number is never used twice
  std::uint64_t last_node = kRoot;
  long sync_ms = 0;
  std::mutex mutex;  // with sync_ms several threads serve; guards all of the above
};
Disk* disk = nullptr;

// An operation as fuse calls it: one at a time.
template <auto operation>
struct Alone;
template <class... Arguments, int (*operation)(Arguments...)>
struct Alone<operation> {
  static int call(Arguments... arguments) {
    const std::lock_guard lock(disk->mutex);
    return operation(arguments...);
  }
};

std::string real(const char* path) { return disk->backing + path; }

int result(long rc) { return rc < 0 ? -errno : static_cast<int>(rc); }

Handle* handle_of(const fuse_file_info* file) { return reinterpret_cast<Handle*>(file->fh); }

struct Place {
  std::uint64_t folder = 0;
  std::string name;
};

Place place_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return {disk->nodes.at(slash == 0 ? "/" : path.substr(0, slash)), path.substr(slash + 1)};
}

std::uint64_t new_node(const char* path, Change change) {
  const std::uint64_t node = disk->nodes[path] = ++disk->last_node;
  const auto place = place_of(path);
  disk->log.add({.change = change, .node = node, .folder = place.folder}, place.name);
  return node;
}

void log_truncate(std::uint64_t node, off_t length) {
  disk->log.add({.change = Change::kTruncate, .node = node, .offset = static_cast<std::uint64_t>(length)});
}

// Attributes

int do_getattr(const char* path, struct stat* out, fuse_file_info* file) {
  if (path != nullptr && path == kMarkFile) {
    *out = {};
    out->st_mode = S_IFREG | 0600;
    out->st_nlink = 1;
    return 0;
  }
  return result(file != nullptr ? ::fstat(handle_of(file)->fd, out) : ::lstat(real(path).c_str(), out));
}

int do_chmod(const char* path, mode_t mode, fuse_file_info* file) {
  return result(file != nullptr ? ::fchmod(handle_of(file)->fd, mode) : ::chmod(real(path).c_str(), mode));
}

int do_chown(const char* path, uid_t user, gid_t group, fuse_file_info* file) {
  return result(file != nullptr ? ::fchown(handle_of(file)->fd, user, group)
                                : ::lchown(real(path).c_str(), user, group));
}

int do_utimens(const char* path, const timespec times[2], fuse_file_info* file) {
  return result(file != nullptr ? ::futimens(handle_of(file)->fd, times)
                                : ::utimensat(AT_FDCWD, real(path).c_str(), times, AT_SYMLINK_NOFOLLOW));
}

int do_statfs(const char*, struct statvfs* out) { return result(::statvfs(disk->backing.c_str(), out)); }

// Files

int give_handle(fuse_file_info* file, int fd, std::uint64_t node) {
  file->fh = reinterpret_cast<std::uint64_t>(new Handle{fd, node, (file->flags & O_DSYNC) != 0});
  return 0;
}

// The flags that mean something for us alone are left out of what the backing file is opened with.
int backing_flags(int flags) { return flags & ~(O_DSYNC | O_SYNC | O_APPEND | O_DIRECT); }

int do_open(const char* path, fuse_file_info* file) {
  if (path == kMarkFile) {
    file->direct_io = 1;
    return give_handle(file, -1, kMarkNode);
  }
  const int fd = ::open(real(path).c_str(), backing_flags(file->flags));
  if (fd < 0) return -errno;
  const auto node = disk->nodes.at(path);
  if ((file->flags & O_TRUNC) != 0) log_truncate(node, 0);
  return give_handle(file, fd, node);
}

int do_create(const char* path, mode_t mode, fuse_file_info* file) {
  const int fd = ::open(real(path).c_str(), backing_flags(file->flags) | O_CREAT | O_EXCL, mode);
  if (fd < 0) return -errno;
  return give_handle(file, fd, new_node(path, Change::kCreate));
}

int do_release(const char*, fuse_file_info* file) {
  const std::unique_ptr<Handle> handle(handle_of(file));
  if (handle->fd >= 0) ::close(handle->fd);
  return 0;
}

int do_read(const char*, char* out, size_t size, off_t at, fuse_file_info* file) {
  if (handle_of(file)->node == kMarkNode) return 0;
  return result(::pread(handle_of(file)->fd, out, size, at));
}

int do_write(const char*, const char* bytes, size_t size, off_t at, fuse_file_info* file) {
  const Handle& handle = *handle_of(file);
  if (handle.node == kMarkNode) {
    disk->log.add({.change = Change::kMark}, {}, {bytes, size});
    return static_cast<int>(size);
  }
  const ssize_t n = ::pwrite(handle.fd, bytes, size, at);
  if (n < 0) return -errno;
  disk->log.add({.change = handle.durable ? Change::kDurableWrite : Change::kWrite,
                 .node = handle.node,
                 .offset = static_cast<std::uint64_t>(at)},
                {}, {bytes, static_cast<std::size_t>(n)});
  return static_cast<int>(n);
}

int do_truncate(const char* path, off_t length, fuse_file_info* file) {
  if (path != nullptr && path == kMarkFile) return 0;
  const int rc = file != nullptr ? ::ftruncate(handle_of(file)->fd, length) : ::truncate(real(path).c_str(), length);
  if (rc != 0) return -errno;
  log_truncate(file != nullptr ? handle_of(file)->node : disk->nodes.at(path), length);
  return 0;
}

int do_fallocate(const char*, int mode, off_t at, off_t length, fuse_file_info* file) {
  const Handle& handle = *handle_of(file);
  if (::fallocate(handle.fd, mode, at, length) != 0) return -errno;
  Entry entry{.change = Change::kAllocate, .node = handle.node, .offset = static_cast<std::uint64_t>(at + length)};
  if ((mode & FALLOC_FL_PUNCH_HOLE) != 0) {
    entry = {.change = Change::kPunch,
             .node = handle.node,
             .offset = static_cast<std::uint64_t>(at),
             .length = static_cast<std::uint64_t>(length)};
  }
  disk->log.add(entry);
  return 0;
}

// The kernel follows each write through O_DSYNC with a sync of the file; that descriptor promises only what was
// written through it, so it counts for nothing more.
int log_sync(fuse_file_info* file) {
  const Handle& handle = *handle_of(file);
  if (handle.node != kMarkNode && !handle.durable) disk->log.add({.change = Change::kSync, .node = handle.node});
  return 0;
}

// What is written while it lasts is not in it.
int do_fsync(const char*, int, fuse_file_info* file) {
  Alone<log_sync>::call(file);
  const timespec wait{.tv_sec = disk->sync_ms / 1000, .tv_nsec = disk->sync_ms % 1000 * 1'000'000};
  if (disk->sync_ms > 0) ::nanosleep(&wait, nullptr);
  return 0;
}

// Folders

int do_opendir(const char* path, fuse_file_info* file) {
  const int fd = ::open(real(path).c_str(), O_RDONLY | O_DIRECTORY);
  if (fd < 0) return -errno;
  return give_handle(file, fd, disk->nodes.at(path));
}

int do_readdir(const char*, void* out, fuse_fill_dir_t fill, off_t, fuse_file_info* file, fuse_readdir_flags) {
  DIR* folder = ::fdopendir(::dup(handle_of(file)->fd));
  if (folder == nullptr) return -errno;
  ::rewinddir(folder);
  while (const dirent* entry = ::readdir(folder)) fill(out, entry->d_name, nullptr, 0, fuse_fill_dir_flags{});
  ::closedir(folder);
  return 0;
}

int do_mkdir(const char* path, mode_t mode) {
  if (::mkdir(real(path).c_str(), mode) != 0) return -errno;
  new_node(path, Change::kMakeFolder);
  return 0;
}

int removed(const char* path) {
  const auto place = place_of(path);
  disk->log.add({.change = Change::kRemove, .node = disk->nodes.at(path), .folder = place.folder}, place.name);
  disk->nodes.erase(path);
  return 0;
}

int do_unlink(const char* path) { return ::unlink(real(path).c_str()) != 0 ? -errno : removed(path); }
int do_rmdir(const char* path) { return ::rmdir(real(path).c_str()) != 0 ? -errno : removed(path); }

// A folder takes along what lies in it.
void move_nodes(const std::string& from, const std::string& to) {
  std::map<std::string, std::uint64_t> moved;
  for (auto it = disk->nodes.begin(); it != disk->nodes.end();) {
    const bool inside = it->first == from || it->first.starts_with(from + "/");
    if (inside) moved[to + it->first.substr(from.size())] = it->second;
    it = inside ? disk->nodes.erase(it) : std::next(it);
  }
  for (const auto& [path, node] : moved) disk->nodes[path] = node;
}

int do_rename(const char* from, const char* to, unsigned flags) {
  if (::renameat2(AT_FDCWD, real(from).c_str(), AT_FDCWD, real(to).c_str(), flags) != 0) return -errno;
  if ((flags & RENAME_EXCHANGE) != 0) return -EINVAL;
  const auto source = place_of(from), target = place_of(to);
  disk->log.add({.change = Change::kRename,
                 .node = disk->nodes.at(from),
                 .folder = source.folder,
                 .other = target.folder},
                source.name, target.name);
  move_nodes(from, to);
  return 0;
}

int do_link(const char* from, const char* to) {
  if (::link(real(from).c_str(), real(to).c_str()) != 0) return -errno;
  const auto place = place_of(to);
  const auto node = disk->nodes[to] = disk->nodes.at(from);
  disk->log.add({.change = Change::kLink, .node = node, .folder = place.folder}, place.name);
  return 0;
}

void* do_init(fuse_conn_info* connection, fuse_config* config) {
  // All changes come through us, so the kernel may keep what it knows; a descriptor of an unlinked file goes on
  // working by itself, without a hidden name.
  config->kernel_cache = 1;
  config->attr_timeout = config->entry_timeout = 3600;
  config->hard_remove = config->nullpath_ok = 1;
  connection->want &= ~static_cast<unsigned>(FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_ATOMIC_O_TRUNC);
  return nullptr;
}

fuse_operations operations() {
  fuse_operations out{};
  out.getattr = Alone<do_getattr>::call;
  out.chmod = Alone<do_chmod>::call;
  out.chown = Alone<do_chown>::call;
  out.utimens = Alone<do_utimens>::call;
  out.statfs = Alone<do_statfs>::call;
  out.open = Alone<do_open>::call;
  out.create = Alone<do_create>::call;
  out.release = Alone<do_release>::call;
  out.read = Alone<do_read>::call;
  out.write = Alone<do_write>::call;
  out.truncate = Alone<do_truncate>::call;
  out.fallocate = Alone<do_fallocate>::call;
  out.fsync = do_fsync;
  out.opendir = Alone<do_opendir>::call;
  out.releasedir = Alone<do_release>::call;
  out.readdir = Alone<do_readdir>::call;
  out.fsyncdir = do_fsync;
  out.mkdir = Alone<do_mkdir>::call;
  out.rmdir = Alone<do_rmdir>::call;
  out.unlink = Alone<do_unlink>::call;
  out.rename = Alone<do_rename>::call;
  out.link = Alone<do_link>::call;
  out.init = do_init;
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) {
    std::fprintf(stderr, "usage: lossyfs MOUNTPOINT BACKING LOG [SYNC_MS]\n");
    return 64;
  }
  Disk all{.backing = argv[2], .log = OperationLog(argv[3])};
  all.sync_ms = argc == 5 ? std::atol(argv[4]) : 0;
  if (!all.log.ok()) {
    std::perror(argv[3]);
    return 73;
  }
  disk = &all;
  char foreground[] = "-f", single[] = "-s", option[] = "-o", name[] = "fsname=lossyfs,max_idle_threads=16";
  char* arguments[] = {argv[0], foreground, option, name, argv[1], all.sync_ms > 0 ? nullptr : single, nullptr};
  const auto served = operations();
  const int rc = ::fuse_main(all.sync_ms > 0 ? 5 : 6, arguments, &served, nullptr);
  return rc != 0 || !all.log.ok() ? 74 : 0;
}
