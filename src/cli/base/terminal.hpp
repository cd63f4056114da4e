// What the program's streams are connected to.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace pql::cli {

bool output_is_terminal() noexcept; ///< standard output
bool errors_are_terminal() noexcept;
bool input_is_terminal() noexcept;

/// Columns of the terminal behind standard output (or standard error): from the terminal, else from COLUMNS, else 80.
std::size_t terminal_width() noexcept;

/// Columns that a text takes: by Unicode's widths, without the escape sequences of colours.
std::size_t display_width(std::string_view text) noexcept;

/// The longest beginning of the text that takes no more columns than that; at least one character.
std::string_view fitting(std::string_view text, std::size_t columns) noexcept;

/// Asks on the terminal; yes is y or yes, anything else is no. Never call it without a terminal.
bool ask_yes_no(const std::string &question);

/// Asks for a password without showing it; nothing if there is no terminal.
std::optional<std::string> ask_password(const std::string &question);

} // namespace pql::cli
