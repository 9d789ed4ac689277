#include "gatewayctl/pages.h"

#include <fmt/core.h>

#include "common/config/show.h"
#include "common/sandbox/rights.h"
#include "gatewayctl/daemon_pages.h"
#include "gatewayctl/man_page.h"
#include "gatewayctl/manual.h"

namespace holdfast::gatewayctl {
namespace {

constexpr std::string_view kPrefix = "holdfast-";

constexpr std::string_view kUsualOptions = R"(

holdfast-master(8) starts it, with all the options it needs, and starts it again when it dies; it is not to be started by
hand. `gatewayctl restart` restarts it alone.

## Signals

| | |
|---|---|
| `SIGHUP` | reopen the log, and read the configuration in force |
| `SIGTERM` | finish what is under way, and end, after 8 s at most |
)";

bool is_here(const DaemonPage& page) { return page.name == "master" || sandbox::rights_of(page.name) != nullptr; }

std::string_view deed(sandbox::Access access) {
  switch (access) {
    case sandbox::Access::kRead: return "reads";
    case sandbox::Access::kReadDatabase: return "reads the database";
    case sandbox::Access::kWrite: return "reads and writes";
    case sandbox::Access::kListen: return "reads, and makes its own socket";
    case sandbox::Access::kLock: return "takes its own lock";
    case sandbox::Access::kAppend: return "writes, cannot read";
    case sandbox::Access::kExtend: return "reads, and writes more";
  }
  return "";
}

std::string rights_text(const sandbox::Rights& rights) {
  std::string out = "\n## What it may do\n\nIt has no capability, cannot start a program, and sees these places alone, within the "
                    "folders of `paths`:\n\n";
  for (const auto& [place, access] : rights.folders) out += fmt::format("- `{}`: {}\n", sandbox::to_text(place), deed(access));
  out += fmt::format("\nNetwork: {}. Certificates, keys and passwords: {}.\n", rights.network ? "IPv4 and IPv6" : "none",
                     rights.handed_files ? "those that master hands it" : "none");
  return out;
}

std::string daemon_page(const DaemonPage& page) {
  ManPage out{.name = std::string(kPrefix) + std::string(page.name), .section = 8, .summary = std::string(page.summary)};
  out.body = page.text;
  if (page.name == "master") {
    out.synopsis = "`/usr/libexec/holdfast/master` [`--config` FILE] [`--check`]";
    out.see_also = "gatewayctl(8), gateway.yaml(5)";
  } else {
    out.body += kUsualOptions;
    out.body += rights_text(*sandbox::rights_of(page.name));
    out.see_also = "holdfast-master(8), gatewayctl(8), gateway.yaml(5)";
  }
  return man_page(out);
}

std::string tools_page(const ToolPage& tool) {
  return man_page({.name = std::string(tool.name),
                   .section = 8,
                   .summary = std::string(tool.summary),
                   .synopsis = std::string(tool.synopsis),
                   .body = std::string(tool.text),
                   .see_also = "gatewayctl(8), gateway.yaml(5)"});
}

std::string settings_page() {
  return man_page({.name = "gateway.yaml",
                   .section = 5,
                   .summary = "the configuration of the mail gateway Holdfast",
                   .synopsis = "/etc/holdfast/gateway.yaml, /etc/holdfast/conf.d/*.yaml, /etc/holdfast/domains.d/DOMAIN.yaml",
                   .body = config::reference_body(),
                   .see_also = "gatewayctl(8), holdfast-master(8)"});
}

std::string admin_page(const CLI::App& app) {
  return man_page({.name = "gatewayctl",
                   .section = 8,
                   .summary = "the admin's hand on the mail gateway Holdfast",
                   .synopsis = "`gatewayctl` [`--config` FILE] [`--json`] COMMAND ...",
                   .body = manual_body(app),
                   .see_also = "gateway.yaml(5), holdfast-master(8)"});
}

}  // namespace

std::vector<std::string> page_names() {
  std::vector<std::string> out{"gateway.yaml.5", "gatewayctl.8"};
  for (const auto& tool : tool_pages()) out.push_back(fmt::format("{}.8", tool.name));
  for (const auto& page : daemon_pages()) {
    if (is_here(page)) out.push_back(fmt::format("{}{}.8", kPrefix, page.name));
  }
  return out;
}

base::Result<std::string> page_text(const CLI::App& app, const std::string& name) {
  if (name == "gateway.yaml.5") return settings_page();
  if (name == "gatewayctl.8") return admin_page(app);
  for (const auto& tool : tool_pages()) {
    if (name == fmt::format("{}.8", tool.name)) return tools_page(tool);
  }
  for (const auto& page : daemon_pages()) {
    if (is_here(page) && name == fmt::format("{}{}.8", kPrefix, page.name)) return daemon_page(page);
  }
  return base::fail(base::Kind::kNotFound, fmt::format("there is no page '{}': see gatewayctl manual --pages", name));
}

}  // namespace holdfast::gatewayctl
