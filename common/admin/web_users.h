// Who may use the web, and by what: users with passwords and tokens for programs, in paths.state/web/users.json. webd
// and `gatewayctl web` write it, by turns, whole; no other program reads it.
//
// Passwords are kept as libcrypt's yescrypt hashes, tokens as its SHA-256 hashes: a token has 256 random bits, so that
// nothing slow is needed to keep it from being guessed.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.h"

namespace holdfast::admin {

// Each may what those before it may. Viewer: looks, but at no content of mail. Operator: retry, hold, release, thaw,
// extend, probe, pause, alerts. Admin: all.
enum class Role : std::uint8_t { kViewer, kOperator, kAdmin };
std::string_view to_text(Role role);  // "viewer"
std::optional<Role> parse_role(std::string_view text);

struct WebUser {
  std::string name;
  Role role = Role::kViewer;
  std::string password;  // crypt(5)
  std::int64_t created_ms = 0;
};

struct WebToken {
  std::string id;    // 8 hexadecimal characters
  std::string name;  // what it is for
  Role role = Role::kViewer;
  std::string hash;
  std::string made_by;
  std::int64_t created_ms = 0, expires_ms = 0;  // 0: never
};

struct WebAccounts {
  std::vector<WebUser> users;
  std::vector<WebToken> tokens;

  WebUser* find_user(std::string_view name);
  WebToken* find_token(std::string_view id);
};

// An empty file is nobody; kData: that is no such text.
base::Result<WebAccounts> parse_accounts(std::string_view text);
std::string accounts_text(const WebAccounts& accounts);

// A missing file is nobody.
base::Result<WebAccounts> read_accounts(const std::string& file);
// Reads, changes and replaces the file while nobody else does. An Error of `change` leaves it as it was. Makes the folder.
base::Status change_accounts(const std::string& file, const std::function<base::Status(WebAccounts&)>& change);

// "" or what is wrong with it.
std::string user_name_fault(std::string_view name);
std::string password_fault(std::string_view password);

// Slow on purpose: a tenth of a second or so, and 16 MiB.
std::string hash_password(const std::string& password);
bool password_fits(const std::string& password, const std::string& hash);
// Of nobody's password: so that an unknown name takes as long as a known one.
const std::string& nobodys_hash();

struct NewToken {
  WebToken kept;
  std::string secret;  // "hf_ID_SECRET", to be shown once
};
NewToken make_token(std::string name, Role role, std::string made_by, std::int64_t now_ms, std::int64_t expires_ms);
// The id in a secret; nothing: that has not a secret's shape.
std::optional<std::string> token_id(std::string_view secret);
bool token_fits(const std::string& secret, const WebToken& token);

// Takes as long wherever they differ.
bool equal_secrets(std::string_view a, std::string_view b);

// The deeds of gatewayctl and webd, with their rules: kUsage for bad words, kNotFound, and kTemporary for the last admin,
// who is neither removed nor demoted.
base::Status add_user(WebAccounts& accounts, const std::string& name, Role role, const std::string& password,
                      std::int64_t now_ms);
base::Status remove_user(WebAccounts& accounts, std::string_view name);
base::Status set_role(WebAccounts& accounts, std::string_view name, Role role);
base::Status set_password(WebAccounts& accounts, std::string_view name, const std::string& password);
base::Status remove_token(WebAccounts& accounts, std::string_view id);

}  // namespace holdfast::admin
