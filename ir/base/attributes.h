/* Attributes of functions. */
#ifndef VLG_IR_BASE_ATTRIBUTES_H
#define VLG_IR_BASE_ATTRIBUTES_H

#define NODISCARD __attribute__((warn_unused_result))
/* A function whose argument `text`, counted from 1, and those from `first` on are
 * printf's; `first` is 0 for a va_list. */
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))

#endif
