#include "gatewayctl/web_commands.h"

#include <cstdio>
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <termios.h>
#include <unistd.h>

#include "common/admin/table.h"
#include "common/admin/text_json.h"
#include "common/admin/web_users.h"
#include "common/base/file.h"
#include "common/config/values.h"
#include "common/config/web.h"
#include "gatewayctl/as_owner.h"
#include "gatewayctl/words.h"

namespace holdfast::gatewayctl {
namespace {

std::int64_t now_ms() { return base::to_millis(base::wall_now()); }

// While it lives, what is typed is not shown.
class Silent {
 public:
  Silent() : good_(::tcgetattr(STDIN_FILENO, &before_) == 0) {
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    if (good_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  }
  ~Silent() {
    if (good_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  Silent(const Silent&) = delete;
  Silent& operator=(const Silent&) = delete;

 private:
  termios before_{};
  bool good_;
};

std::string typed(const char* prompt) {
  std::fputs(prompt, stderr);
  const Silent silent;
  std::string line;
  std::getline(std::cin, line);
  std::fputs("\n", stderr);
  return line;
}

// The first line of standard input, or typed twice.
base::Result<std::string> new_password(bool from_stdin) {
  if (from_stdin) {
    std::string line;
    std::getline(std::cin, line);
    return line;
  }
  if (::isatty(STDIN_FILENO) == 0) return base::fail(base::Kind::kUsage, "no terminal to ask for a password: say --password-stdin");
  const std::string first = typed("New password: ");
  if (typed("Again: ") != first) return base::fail(base::Kind::kUsage, "these were two different passwords");
  return first;
}

// In the account that webd runs as, which owns the folder once master has run.
base::Status change(const Gateway& gateway, const std::function<base::Status(WebAccounts&)>& how) {
  const auto& paths = gateway.config().paths;
  if (auto made = base::make_folders(config::web_folder(paths)); !made) return made;
  const AsOwnerOf owner(config::web_folder(paths));
  return change_accounts(config::web_users_file(paths), how);
}

void run(Invocation& invocation, const std::string& done, const std::function<base::Status(WebAccounts&)>& how) {
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    if (auto changed = change(gateway, how); !changed) return changed;
    std::fputs((invocation.json ? dump_line({{"changed", 1}}) : done + "\n").c_str(), stdout);
    return {};
  });
}

struct UserWords {
  std::string name, role = "viewer";
  bool from_stdin = false;
};

void run_add(Invocation& invocation, const UserWords& words) {
  const auto password = new_password(words.from_stdin);
  if (!password) {
    invocation.exit_code = report(password.error());
    return;
  }
  run(invocation, fmt::format("{} may log in as {}.", words.name, words.role), [&](WebAccounts& accounts) {
    return add_user(accounts, words.name, *parse_role(words.role), *password, now_ms());
  });
}

void run_password(Invocation& invocation, const UserWords& words) {
  const auto password = new_password(words.from_stdin);
  if (!password) {
    invocation.exit_code = report(password.error());
    return;
  }
  run(invocation, fmt::format("{} has a new password.", words.name),
      [&](WebAccounts& accounts) { return set_password(accounts, words.name, *password); });
}

void run_list_users(Invocation& invocation) {
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    const auto accounts = read_accounts(config::web_users_file(gateway.config().paths));
    if (!accounts) return std::unexpected(accounts.error());
    Table table({"NAME", "ROLE", "CREATED"});
    for (const auto& user : accounts->users) {
      const std::string role(to_text(user.role));
      if (invocation.json) {
        std::fputs(dump_line({{"name", user.name}, {"role", role}, {"created", time_json(user.created_ms)}}).c_str(), stdout);
      } else {
        table.add({user.name, role, ago_text(user.created_ms, now_ms())});
      }
    }
    std::fputs(table.take().c_str(), stdout);
    return {};
  });
}

struct TokenWords {
  std::string name, role = "viewer", lasts, id;
};

void run_add_token(Invocation& invocation, const TokenWords& words) {
  base::Seconds lasts{0};
  if (!words.lasts.empty()) {
    const auto parsed = config::parse_duration(words.lasts);
    if (!parsed) {
      invocation.exit_code = report({base::Kind::kUsage, "--for: " + parsed.error().text});
      return;
    }
    lasts = *parsed;
  }
  if (const auto fault = user_name_fault(words.name); !fault.empty()) {
    invocation.exit_code = report({base::Kind::kUsage, fault});
    return;
  }
  const std::int64_t expires = lasts.count() == 0 ? 0 : now_ms() + lasts.count() * 1000;
  const auto made = make_token(words.name, *parse_role(words.role), "gatewayctl", now_ms(), expires);
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    if (auto done = change(gateway, [&](WebAccounts& accounts) { return add_token(accounts, made.kept); }); !done) return done;
    const std::string text = invocation.json ? dump_line({{"id", made.kept.id}, {"token", made.secret}, {"expires", time_json(expires)}})
                                             : made.secret + "\n";
    std::fputs(text.c_str(), stdout);
    return {};
  });
}

void run_list_tokens(Invocation& invocation) {
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    const auto accounts = read_accounts(config::web_users_file(gateway.config().paths));
    if (!accounts) return std::unexpected(accounts.error());
    Table table({"ID", "NAME", "ROLE", "MADE BY", "CREATED", "EXPIRES"});
    for (const auto& t : accounts->tokens) {
      const std::string role(to_text(t.role));
      if (invocation.json) {
        std::fputs(dump_line({{"id", t.id}, {"name", t.name}, {"role", role}, {"made_by", t.made_by},
                              {"created", time_json(t.created_ms)}, {"expires", time_json(t.expires_ms)}})
                       .c_str(),
                   stdout);
      } else {
        table.add({t.id, t.name, role, t.made_by, ago_text(t.created_ms, now_ms()), ahead_text(t.expires_ms, now_ms())});
      }
    }
    std::fputs(table.take().c_str(), stdout);
    return {};
  });
}

void add_role(CLI::App& command, std::string& role) {
  command.add_option("--role", role, "viewer, operator or admin")
      ->capture_default_str()
      ->check(CLI::IsMember({"viewer", "operator", "admin"}));
}

void add_user_commands(CLI::App& web, Invocation& invocation) {
  auto* user = web.add_subcommand("user", "who may log in: add, list, remove, password, role")->require_subcommand(1);
  auto words = std::make_shared<UserWords>();
  const auto named = [&](const char* command, const char* help) {
    auto* out = user->add_subcommand(command, help);
    out->add_option("NAME", words->name, "the user")->required();
    return out;
  };
  constexpr const char* kStdin = "the password is the first line of standard input";
  auto* add = named("add", "a new user; the password is asked for");
  add_role(*add, words->role);
  add->add_flag("--password-stdin", words->from_stdin, kStdin);
  add->callback([&invocation, words] { run_add(invocation, *words); });
  user->add_subcommand("list", "all users")->callback([&invocation] { run_list_users(invocation); });
  named("remove", "a user's sessions end with it")->callback([&invocation, words] {
    run(invocation, words->name + " is removed.",
        [&](WebAccounts& accounts) { return remove_user(accounts, words->name); });
  });
  auto* password = named("password", "another password");
  password->add_flag("--password-stdin", words->from_stdin, kStdin);
  password->callback([&invocation, words] { run_password(invocation, *words); });
  auto* role = named("role", "another role");
  add_role(*role, words->role);
  role->callback([&invocation, words] {
    run(invocation, fmt::format("{} is {} now.", words->name, words->role),
        [&](WebAccounts& accounts) { return set_role(accounts, words->name, *parse_role(words->role)); });
  });
}

void add_token_commands(CLI::App& web, Invocation& invocation) {
  auto* token = web.add_subcommand("token", "what programs send instead of a password: add, list, remove")->require_subcommand(1);
  auto words = std::make_shared<TokenWords>();
  auto* add = token->add_subcommand("add", "a new token, which is shown this once: Authorization: Bearer TOKEN");
  add->add_option("NAME", words->name, "what it is for")->required();
  add_role(*add, words->role);
  add->add_option("--for", words->lasts, "it ends by itself after this long: 12h, 90d")->check(something());
  add->callback([&invocation, words] { run_add_token(invocation, *words); });
  token->add_subcommand("list", "all tokens, without their secrets")->callback([&invocation] { run_list_tokens(invocation); });
  auto* remove = token->add_subcommand("remove", "a token is worth nothing any more");
  remove->add_option("ID", words->id, "its id")->required();
  remove->callback([&invocation, words] {
    run(invocation, words->id + " is removed.",
        [&](WebAccounts& accounts) { return remove_token(accounts, words->id); });
  });
}

}  // namespace

void add_web_commands(CLI::App& app, Invocation& invocation) {
  auto* web = app.add_subcommand("web", "the dashboard's users and tokens")->require_subcommand(1);
  add_user_commands(*web, invocation);
  add_token_commands(*web, invocation);
}

}  // namespace holdfast::gatewayctl
