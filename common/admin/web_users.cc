#include "common/admin/web_users.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>

#include <crypt.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "common/admin/text_json.h"
#include "common/base/file.h"
#include "common/base/panic.h"
#include "common/base/text.h"

namespace holdfast::admin {
namespace {

using base::fail;
using base::Kind;

constexpr std::size_t kMostAccounts = 1000;
constexpr std::size_t kLongestPassword = 200, kShortestPassword = 10;

std::string crypted(const std::string& secret, const std::string& setting) {
  const auto data = std::make_unique<crypt_data>();
  const char* out = ::crypt_r(secret.c_str(), setting.c_str(), data.get());
  return out == nullptr || *out == '*' ? "" : out;
}

std::string new_hash(const std::string& secret, const char* method, unsigned long rounds) {
  char setting[CRYPT_GENSALT_OUTPUT_SIZE];
  const char* made = ::crypt_gensalt_rn(method, rounds, nullptr, 0, setting, sizeof setting);
  base::expect(made != nullptr, "libcrypt knows no yescrypt");
  std::string out = crypted(secret, made);
  base::expect(!out.empty(), "libcrypt cannot hash");
  return out;
}

bool fits(const std::string& secret, const std::string& hash) {
  if (secret.find('\0') != secret.npos || hash.empty()) return false;
  return equal_secrets(crypted(secret, hash), hash);
}

json user_json(const WebUser& u) {
  return {{"name", u.name}, {"role", to_text(u.role)}, {"password", u.password}, {"created", u.created_ms}};
}

json token_json(const WebToken& t) {
  return {{"id", t.id},           {"name", t.name},          {"role", to_text(t.role)},  {"hash", t.hash},
          {"made_by", t.made_by}, {"created", t.created_ms}, {"expires", t.expires_ms}};
}

// A member of that name and type; nothing it lacks is made up.
std::string text_at(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}
std::int64_t number_at(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

std::size_t admins(const WebAccounts& accounts) {
  return static_cast<std::size_t>(std::ranges::count(accounts.users, Role::kAdmin, &WebUser::role));
}

base::Status no_user(std::string_view name) {
  return fail(Kind::kNotFound, fmt::format("there is no user '{}'", base::printable(name)));
}

base::Status last_admin() { return fail(Kind::kTemporary, "this is the last admin: make another one first"); }

}  // namespace

std::string_view to_text(Role role) {
  switch (role) {
    case Role::kViewer: return "viewer";
    case Role::kOperator: return "operator";
    case Role::kAdmin: return "admin";
  }
  return "";
}

std::optional<Role> parse_role(std::string_view text) {
  for (const Role role : {Role::kViewer, Role::kOperator, Role::kAdmin}) {
    if (to_text(role) == text) return role;
  }
  return std::nullopt;
}

WebUser* WebAccounts::find_user(std::string_view name) {
  const auto found = std::ranges::find(users, name, &WebUser::name);
  return found == users.end() ? nullptr : &*found;
}

WebToken* WebAccounts::find_token(std::string_view id) {
  const auto found = std::ranges::find(tokens, id, &WebToken::id);
  return found == tokens.end() ? nullptr : &*found;
}

base::Result<WebAccounts> parse_accounts(std::string_view text) {
  WebAccounts out;
  if (base::trim(text).empty()) return out;
  const auto bad = [] { return fail(Kind::kData, "the web's users: damaged"); };
  const json whole = json::parse(text, nullptr, false);
  if (!whole.is_object()) return bad();
  const auto users = whole.value("users", json::array()), tokens = whole.value("tokens", json::array());
  for (const auto& item : users) {
    const auto role = item.is_object() ? parse_role(text_at(item, "role")) : std::nullopt;
    if (!role || text_at(item, "name").empty()) return bad();
    out.users.push_back({text_at(item, "name"), *role, text_at(item, "password"), number_at(item, "created")});
  }
  for (const auto& item : tokens) {
    const auto role = item.is_object() ? parse_role(text_at(item, "role")) : std::nullopt;
    if (!role || text_at(item, "id").empty()) return bad();
    out.tokens.push_back({text_at(item, "id"), text_at(item, "name"), *role, text_at(item, "hash"),
                          text_at(item, "made_by"), number_at(item, "created"), number_at(item, "expires")});
  }
  return out;
}

std::string accounts_text(const WebAccounts& accounts) {
  json users = json::array(), tokens = json::array();
  for (const auto& u : accounts.users) users.push_back(user_json(u));
  for (const auto& t : accounts.tokens) tokens.push_back(token_json(t));
  return json{{"users", users}, {"tokens", tokens}}.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

base::Result<WebAccounts> read_accounts(const std::string& file) {
  const auto text = base::read_file(file);
  if (text) return parse_accounts(*text);
  if (text.error().kind == Kind::kNotFound) return WebAccounts{};
  return std::unexpected(text.error());
}

base::Status change_accounts(const std::string& file, const std::function<base::Status(WebAccounts&)>& change) {
  const std::string folder = std::filesystem::path(file).parent_path();
  if (auto made = base::make_folders(folder); !made) return made;
  const std::string lock_file = folder + "/lock";
  const base::UniqueFd lock(::open(lock_file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640));
  if (!lock) return base::fail_errno(lock_file, errno);
  while (::flock(lock.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return base::fail_errno(lock_file, errno);
  }
  auto accounts = read_accounts(file);
  if (!accounts) return std::unexpected(accounts.error());
  if (auto done = change(*accounts); !done) return done;
  return base::replace_file(file, accounts_text(*accounts), 0600);
}

std::string user_name_fault(std::string_view name) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-' || c == '@';
  };
  if (name.empty() || name.size() > 64) return "a user's name has 1 to 64 characters";
  return std::ranges::all_of(name, good) ? "" : "a user's name has letters, digits, '.', '_', '-' and '@' only";
}

std::string password_fault(std::string_view password) {
  if (password.size() < kShortestPassword) return fmt::format("a password has at least {} characters", kShortestPassword);
  if (password.size() > kLongestPassword) return fmt::format("a password has at most {} bytes", kLongestPassword);
  return password.find('\0') == password.npos ? "" : "a password has no zero bytes";
}

std::string hash_password(const std::string& password) { return new_hash(password, "$y$", 0); }

bool password_fits(const std::string& password, const std::string& hash) {
  return password.size() <= kLongestPassword && fits(password, hash);
}

const std::string& nobodys_hash() {
  static const std::string hash = hash_password(base::random_token());
  return hash;
}

NewToken make_token(std::string name, Role role, std::string made_by, std::int64_t now_ms, std::int64_t expires_ms) {
  const std::string id = base::random_token().substr(0, 8);
  const std::string secret = fmt::format("hf_{}_{}{}", id, base::random_token(), base::random_token());
  return {{id, std::move(name), role, new_hash(secret, "$5$", 1000), std::move(made_by), now_ms, expires_ms}, secret};
}

std::optional<std::string> token_id(std::string_view secret) {
  if (secret.size() != 3 + 8 + 1 + 64 || !secret.starts_with("hf_") || secret[11] != '_') return std::nullopt;
  return std::string(secret.substr(3, 8));
}

bool token_fits(const std::string& secret, const WebToken& token) { return fits(secret, token.hash); }

bool equal_secrets(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned different = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    different |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned>(static_cast<unsigned char>(b[i]));
  }
  return different == 0;
}

base::Status add_user(WebAccounts& accounts, const std::string& name, Role role, const std::string& password,
                      std::int64_t now_ms) {
  if (const auto fault = user_name_fault(name); !fault.empty()) return fail(Kind::kUsage, fault);
  if (const auto fault = password_fault(password); !fault.empty()) return fail(Kind::kUsage, fault);
  if (accounts.find_user(name) != nullptr) return fail(Kind::kUsage, fmt::format("there is a user '{}' already", name));
  if (accounts.users.size() >= kMostAccounts) return fail(Kind::kTemporary, "there are too many users");
  accounts.users.push_back({name, role, hash_password(password), now_ms});
  return {};
}

base::Status remove_user(WebAccounts& accounts, std::string_view name) {
  const auto* user = accounts.find_user(name);
  if (user == nullptr) return no_user(name);
  if (user->role == Role::kAdmin && admins(accounts) == 1) return last_admin();
  std::erase_if(accounts.users, [&](const WebUser& u) { return u.name == name; });
  return {};
}

base::Status set_role(WebAccounts& accounts, std::string_view name, Role role) {
  auto* user = accounts.find_user(name);
  if (user == nullptr) return no_user(name);
  if (user->role == Role::kAdmin && role != Role::kAdmin && admins(accounts) == 1) return last_admin();
  user->role = role;
  return {};
}

base::Status set_password(WebAccounts& accounts, std::string_view name, const std::string& password) {
  auto* user = accounts.find_user(name);
  if (user == nullptr) return no_user(name);
  if (const auto fault = password_fault(password); !fault.empty()) return fail(Kind::kUsage, fault);
  user->password = hash_password(password);
  return {};
}

base::Status remove_token(WebAccounts& accounts, std::string_view id) {
  if (accounts.find_token(id) == nullptr) {
    return fail(Kind::kNotFound, fmt::format("there is no token '{}'", base::printable(id)));
  }
  std::erase_if(accounts.tokens, [&](const WebToken& t) { return t.id == id; });
  return {};
}

}  // namespace holdfast::admin
