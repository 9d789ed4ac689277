#include "common/base/installation_token.h"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/text.h"

namespace holdfast::base {
namespace {

constexpr std::size_t kTokenLength = 32;

Result<std::string> read_token(const std::string& path) {
  auto content = read_file(path, 1024);
  if (!content) return content;
  const std::string token(trim(*content));
  if (token.size() != kTokenLength || token.find_first_not_of("0123456789abcdef") != std::string::npos) {
    return fail(Kind::kData, path + " does not hold an installation token; remove it to have one made");
  }
  return token;
}

// Written under a name of its own and linked: whoever is first wins, and nobody reads half a token.
Status make_token(const std::string& folder, const std::string& path) {
  const std::string token = random_token();
  const std::string draft = path + "." + token;
  if (auto written = replace_file(draft, token + "\n"); !written) return written;
  const int linked = ::link(draft.c_str(), path.c_str());
  const int err = errno;
  ::unlink(draft.c_str());
  if (linked != 0 && err != EEXIST) return fail_errno("link " + path, err);
  return fsync_folder(folder);
}

}  // namespace

Result<std::string> installation_token(const std::string& state_folder) {
  const std::string path = state_folder + "/token";
  auto token = read_token(path);
  if (token || token.error().kind != Kind::kNotFound) return token;
  if (auto made = make_token(state_folder, path); !made) return std::unexpected(made.error());
  return read_token(path);
}

}  // namespace holdfast::base
