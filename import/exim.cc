#include "import/exim.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "common/base/text.h"
#include "common/config/values.h"
#include "import/exim_lists.h"
#include "import/exim_route.h"
#include "import/exim_text.h"
#include "import/servers.h"

namespace holdfast::importer {
namespace {

using base::Kind;

bool is_literal(const std::string& text) { return !text.empty() && text.find('$') == text.npos; }

// Exim's "50M", "1024K".
std::string size_of(std::string text) {
  std::uint64_t factor = 1;
  if (!text.empty() && (text.back() == 'M' || text.back() == 'm')) factor = 1 << 20;
  if (!text.empty() && (text.back() == 'K' || text.back() == 'k')) factor = 1 << 10;
  if (factor > 1) text.pop_back();
  const auto number = base::to_number(text);
  return number && *number > 0 && *number < 1'000'000'000'000 ? config::size_text(*number * factor) : "";
}

class Reader {
 public:
  Reader(const EximFile& file, const ReadFile& read, Found& found) : file_(file), lists_(file.main, read), found_(found) {}

  base::Status run(const std::string& list) {
    for (const auto& unread : file_.unread) found_.leave("included, and not read: " + unread);
    take_settings();
    const std::string option = "domainlist " + list;
    if (!file_.main.contains(option)) {
      return base::fail(Kind::kData, fmt::format("no 'domainlist {}' in it: say with --domains which one is relayed{}", list, others()));
    }
    std::vector<std::string> unknown;
    std::vector<std::string> names;
    for (const auto& item : lists_.flat(file_.main.at(option), unknown)) add(item, names, unknown);
    for (const auto& what : unknown) found_.leave(fmt::format("domainlist {}: {}", list, what));
    for (const auto& name : names) take_domain(name);
    for (const auto& what : notes_) found_.leave(what);
    found_.leave("recipients: Exim asks its routers; known ones are learnt, or come by gatewayctl rcpt import");
    return {};
  }

 private:
  std::string others() const {
    std::string out;
    for (const auto& [name, value] : file_.main) {
      if (name.starts_with("domainlist ")) out += (out.empty() ? "; there are " : ", ") + name.substr(11);
    }
    return out;
  }

  static void add(const std::string& item, std::vector<std::string>& names, std::vector<std::string>& unknown) {
    const std::string name = base::to_lower(item);
    if (const auto fault = domain_fault(name); !fault.empty()) {
      unknown.push_back(fmt::format("'{}', which is no domain's name alone", base::printable(item)));
    } else if (std::ranges::find(names, name) == names.end()) {
      names.push_back(name);
    }
  }

  std::string literal(const std::string& option) {
    const auto found = file_.main.find(option);
    if (found == file_.main.end()) return "";
    if (is_literal(found->second)) return found->second;
    found_.leave(fmt::format("{} = {}: only Exim can tell what that is", option, found->second));
    return "";
  }

  void take_settings() {
    if (const auto name = literal("primary_hostname"); config::hostname_fault(name).empty() && !name.empty()) {
      found_.settings.emplace_back("hostname", name);
    }
    const auto certificate = literal("tls_certificate");
    if (certificate.starts_with('/')) {
      const auto key = literal("tls_privatekey");
      found_.settings.emplace_back("tls.certificate", config::yaml_scalar(certificate));
      found_.settings.emplace_back("tls.key", config::yaml_scalar(key.starts_with('/') ? key : certificate));
    }
    if (const auto size = size_of(literal("message_size_limit")); !size.empty()) {
      found_.settings.emplace_back("smtpd.message_size_limit", size);
    }
    if (const auto file = file_.main.find("local_interfaces"); file != file_.main.end() && !file->second.empty()) {
      found_.leave(fmt::format("local_interfaces = {}: say in listen where mail is taken", file->second));
    }
  }

  void take_domain(const std::string& name) {
    auto route = find_exim_route(file_, lists_, name);
    notes_.insert(route.notes.begin(), route.notes.end());
    if (!route.target) return found_.leave(fmt::format("{}: {}", name, route.why_not));
    found_.domains.emplace(name, Domain{.target = *route.target, .checks = std::move(route.checks)});
  }

  const EximFile& file_;
  EximLists lists_;
  Found& found_;
  std::set<std::string> notes_;
};

}  // namespace

base::Result<Found> import_exim(const std::string& text, const std::string& source, const std::string& domain_list,
                                const ReadFile& read) {
  const auto file = parse_exim(text, read);
  if (!file) return base::fail(file.error().kind, fmt::format("{}: {}", source, file.error().text));
  Found out;
  out.source = "Exim's " + source;
  if (auto done = Reader(*file, read, out).run(domain_list); !done) {
    return base::fail(done.error().kind, fmt::format("{}: {}", source, done.error().text));
  }
  return out;
}

}  // namespace holdfast::importer
