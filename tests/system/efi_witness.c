/* A UEFI program that says on the console that it runs, and stays. It carries a payload, so that
 * the test can see in the guest's memory that all of it arrived. It refuses to know any UEFI
 * header: it uses two fields of two tables. */

/* UEFI 2.10 section 12.4: Simple Text Output Protocol. */
struct text_output {
    void* reset;
    unsigned long long (*output_string)(struct text_output* self, const unsigned short* text);
};

/* UEFI 2.10 section 4.3: EFI System Table; the console lies 64 bytes in on 64-bit machines. */
struct system_table {
    unsigned char before_console[64];
    struct text_output* console;
};

__asm__(
    ".section .rdata,\"dr\"\n"
    ".globl witness_payload\n"
    "witness_payload:\n"
    ".incbin \"" PAYLOAD_FILE
    "\"\n"
    ".byte 0\n"
    ".text\n"
);
extern const volatile unsigned char witness_payload[];

unsigned long long efi_main(void* image, struct system_table* table) {
    (void)image;
    (void)witness_payload[0];
    table->console->output_string(table->console, u"\r\nBRAMBLE EFI program runs\r\n");
    for (;;) {
    }
}
