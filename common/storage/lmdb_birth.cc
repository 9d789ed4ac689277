#include "common/storage/lmdb_birth.h"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>

#include <lmdb.h>

#include "common/base/file.h"

namespace holdfast::storage {
namespace {

base::Status fail(const std::string& folder, int code) {
  if (code > 0) return base::fail_errno(folder, code);
  return base::fail(base::Kind::kInternal, folder + ": " + mdb_strerror(code));
}

// An environment without tables, durable, that nobody else knows of.
base::Status make_in(const std::string& folder) {
  MDB_env* raw = nullptr;
  if (const int rc = mdb_env_create(&raw); rc != 0) return fail(folder, rc);
  const std::unique_ptr<MDB_env, decltype(&mdb_env_close)> env(raw, &mdb_env_close);
  if (const int rc = mdb_env_open(raw, folder.c_str(), MDB_NOLOCK, 0640); rc != 0) return fail(folder, rc);
  if (const int rc = mdb_env_sync(raw, 1); rc != 0) return fail(folder, rc);
  return {};
}

}  // namespace

base::Status make_database(const std::string& folder) {
  const std::string name = folder + "/data.mdb", making = folder + "/new";
  std::error_code error;
  std::filesystem::remove_all(making, error);
  if (std::filesystem::exists(name, error)) return {};
  if (auto done = base::make_folders(making); !done) return done;
  if (auto done = make_in(making); !done) return done;
  if (std::rename((making + "/data.mdb").c_str(), name.c_str()) != 0) return base::fail_errno("rename " + name, errno);
  if (auto done = base::fsync_folder(folder); !done) return done;
  std::filesystem::remove_all(making, error);
  return {};
}

}  // namespace holdfast::storage
