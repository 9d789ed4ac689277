// Recipients from an LDAP directory, an address a line:
//   holdfast-ldap --uri ldaps://dc.example.org --base dc=example,dc=org … | gatewayctl rcpt import --format csv -
// A program of its own: libldap stays out of what mail runs through.
#include <cstdio>
#include <string>

#include <CLI/CLI.hpp>

#include "common/base/file.h"
#include "common/base/text.h"
#include "ldap/search.h"

namespace {

using namespace holdfast;

int report(const base::Error& error) {
  std::fprintf(stderr, "holdfast-ldap: %s\n", base::printable(error.text).c_str());
  return base::exit_code(error.kind);
}

int run(ldap::Wishes& wishes, const std::string& password_file) {
  if (!password_file.empty()) {
    const auto text = base::read_file(password_file, 4096);
    if (!text) return report(text.error());
    wishes.password = text->substr(0, text->find_first_of("\r\n"));
  }
  // A bind with a name and no password is an anonymous one that looks like another (RFC 4513 section 5.1.2).
  if (!wishes.bind.empty() && wishes.password.empty()) return report({base::Kind::kUsage, "--bind needs --password-file"});
  const auto found = ldap::search(wishes, [](const std::string& address) { std::printf("%s\n", address.c_str()); });
  return found ? 0 : report(found.error());
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Mail addresses from an LDAP directory, one a line, for gatewayctl rcpt import --format csv -", "holdfast-ldap");
  ldap::Wishes wishes;
  std::string password_file;
  app.add_option("--uri", wishes.uri, "ldaps://HOST or ldap://HOST[:PORT]")->required();
  app.add_option("--base", wishes.base, "where to search, and below: dc=example,dc=org")->required();
  app.add_flag("--starttls", wishes.starttls, "secure ldap:// before anything is said");
  app.add_option("--ca-file", wishes.ca_file, "whom the server's certificate must come from, else the system's");
  app.add_option("--bind", wishes.bind, "who asks, else nobody (anonymous)");
  app.add_option("--password-file", password_file, "a file with the password in its first line");
  app.add_option("--filter", wishes.filter, "of entries")->capture_default_str();
  app.add_option("--attribute", wishes.attributes, "that holds addresses; may be given again")->capture_default_str();
  app.add_option("--page", wishes.page, "entries a question; less where the server allows less")->capture_default_str()->check(CLI::Range(1, 10000));
  app.add_option("--timeout", wishes.timeout_seconds, "seconds for each answer")->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : base::exit_code(base::Kind::kUsage);
  }
  return run(wishes, password_file);
}
