#include "gatewayctl/support_bundle.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <iterator>
#include <memory>

#include <CLI/CLI.hpp>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "common/admin/dest_look.h"
#include "common/admin/figures.h"
#include "common/admin/log_files.h"
#include "common/admin/metrics.h"
#include "common/admin/status_look.h"
#include "common/base/file.h"
#include "common/base/text.h"
#include "common/base/time.h"
#include "common/config/security.h"
#include "common/config/show.h"
#include "gatewayctl/secrets.h"
#include "gatewayctl/words.h"

namespace holdfast::gatewayctl {
namespace {

struct Wishes {
  std::string file;  // "-": standard output
  std::size_t lines = 1000;
  bool people = false;
};

std::string section(const std::string& name, const std::string& text) {
  return fmt::format("==== {}\n{}{}\n", name, text, text.ends_with('\n') ? "" : "\n");
}

std::string machine() {
  utsname name{};
  ::uname(&name);
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  return fmt::format("Holdfast {}\n{} {} {}\nopen files: {} of {}\nmade {}\n", HOLDFAST_VERSION, name.sysname, name.release,
                     name.machine, files.rlim_cur, files.rlim_max, base::iso8601(base::wall_now()));
}

// Names and sizes; the files of the spool are many, and only counted.
std::string folder_text(const std::string& path) {
  std::error_code ec;
  std::string out;
  std::size_t files = 0;
  std::uintmax_t bytes = 0;
  for (std::filesystem::directory_iterator it(path, ec), end; !ec && it != end; it.increment(ec)) {
    std::error_code ignored;
    const bool regular = it->is_regular_file(ignored);
    const auto size = regular ? it->file_size(ignored) : 0;
    bytes += regular && !ignored ? size : 0;
    if (++files <= 50) out += fmt::format("  {}{}\n", it->path().filename().string(), regular ? fmt::format(" {}", size) : "/");
  }
  if (ec) return fmt::format("{}: {}\n", path, ec.message());
  return fmt::format("{}: {} entries, {} octets in files\n{}{}", path, files, bytes, out, files > 50 ? "  ...\n" : "");
}

std::string folders(const config::Paths& paths) {
  std::string out;
  for (const auto& path : {paths.spool, paths.spool + "/segments", paths.spool + "/index", paths.spool + "/corrupt", paths.state,
                           paths.state + "/directory", paths.run, paths.log}) {
    out += folder_text(path);
  }
  return out;
}

std::string last_lines(const LogFile& file, std::size_t most) {
  std::deque<std::string> kept;
  const auto read = read_lines(file, [&](std::string_view line) {
    kept.emplace_back(line);
    if (kept.size() > most) kept.pop_front();
  });
  std::string out = read ? "" : read.error().text + "\n";
  for (const auto& line : kept) out += base::printable(line) + "\n";
  return out;
}

std::string logs(const std::string& folder, std::size_t most) {
  const auto files = list_log_files(folder);
  if (!files) return section("logs", files.error().text);
  std::string out;
  for (const auto& file : *files) {
    if (file.age == 0 && !file.packed) out += section(file.name + ".log", last_lines(file, most));
  }
  return out;
}

std::string destinations(Gateway& gateway) {
  std::string out;
  const auto now_ms = base::to_millis(base::wall_now());
  for (const auto& [name, destination] : gateway.config().destinations) out += destination_text(view_of(gateway, destination), now_ms) + "\n";
  return out;
}

// What must not be in it, as far as we may read it: lines of password files and keys.
std::vector<std::string> secrets(const config::Config& config) {
  std::vector<std::string> out;
  // Who knows the address of a webhook, or what its headers say, may often post there.
  for (const auto& hook : config.alerts.webhooks) {
    out.push_back(hook.url);
    out.insert(out.end(), hook.headers.begin(), hook.headers.end());
  }
  auto files = config::secret_files(config, config::Reader::kSmtpd);
  std::ranges::copy(config::secret_files(config, config::Reader::kAlertd), std::back_inserter(files));
  for (const auto& file : files) {
    const auto text = base::read_file(file, 1 << 20);
    if (!text || text->find("-----BEGIN CERTIFICATE") != text->npos) continue;
    for (const auto line : base::split(*text, '\n')) {
      if (!line.starts_with("-----") && !base::trim(line).empty()) out.emplace_back(base::trim(line));
    }
  }
  return out;
}

std::string gather_all(Gateway& gateway, std::size_t lines) {
  const auto& config = gateway.config();
  const auto figures = gather_figures(gateway, HOLDFAST_VERSION);
  return section("machine", machine()) + section("status", status_text(figures.status)) +
         section("destinations", destinations(gateway)) + section("configuration", config::show(config::without_secrets(config), config::Style::kChanged)) +
         section("figures", stats_text(samples(figures))) + section("folders", folders(config.paths)) + logs(config.paths.log, lines);
}

base::Status write_out(const std::string& file, const std::string& text) {
  if (file == "-") {
    std::fputs(text.c_str(), stdout);
    return {};
  }
  const base::UniqueFd fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd) return base::fail_errno(file, errno);
  if (auto written = base::write_all(fd.get(), text); !written) return written;
  fmt::print("{} is written: {} octets. It holds no message, no password and no key; read it before you send it.\n", file, text.size());
  return {};
}

void run_bundle(Invocation& invocation, Wishes wishes) {
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    if (wishes.file.empty()) {
      wishes.file = fmt::format("holdfast-support-{}.txt", base::to_millis(base::wall_now()) / 1000);
    }
    auto text = without_secrets(gather_all(gateway, wishes.lines), secrets(gateway.config()));
    if (!wishes.people) text = without_people(text);
    return write_out(wishes.file, text);
  });
}

}  // namespace

void add_support_bundle(CLI::App& app, Invocation& invocation) {
  auto* command = app.add_subcommand(
      "support-bundle", "a text for whoever helps: versions, status, configuration, figures and the logs' last lines, without "
                        "messages, passwords and keys");
  auto wishes = std::make_shared<Wishes>();
  command->add_option("-o,--output", wishes->file, "where to; - is standard output (default: holdfast-support-TIME.txt here)");
  command->add_option("--lines", wishes->lines, "how many lines of each log")->check(counting())->capture_default_str();
  command->add_flag("--people", wishes->people, "leave addresses whole; else boss@example.org is b..@example.org");
  command->callback([&invocation, wishes] { run_bundle(invocation, *wishes); });
}

}  // namespace holdfast::gatewayctl
