using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Plinth.Web.Persistence.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class StorageClasses : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.RenameColumn(
                name: "Kind",
                table: "StorageClasses",
                newName: "Needs");

            // What was a kind of pool is no need yet: the classes of before take any pool.
            migrationBuilder.Sql("UPDATE \"StorageClasses\" SET \"Needs\" = '{}'");

            migrationBuilder.AddColumn<string>(
                name: "StorageClass",
                table: "Vms",
                type: "text",
                nullable: false,
                defaultValue: "default",
                collation: "C");

            migrationBuilder.AddColumn<string>(
                name: "Limits",
                table: "StorageClasses",
                type: "text",
                nullable: false,
                defaultValue: "{}",
                collation: "C");

            migrationBuilder.CreateIndex(
                name: "IX_Vms_StorageClass_DeletedAt_Host",
                table: "Vms",
                columns: new[] { "StorageClass", "DeletedAt", "Host" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "IX_Vms_StorageClass_DeletedAt_Host",
                table: "Vms");

            migrationBuilder.DropColumn(
                name: "StorageClass",
                table: "Vms");

            migrationBuilder.DropColumn(
                name: "Limits",
                table: "StorageClasses");

            migrationBuilder.RenameColumn(
                name: "Needs",
                table: "StorageClasses",
                newName: "Kind");

            migrationBuilder.Sql("UPDATE \"StorageClasses\" SET \"Kind\" = 'Directory'");
        }
    }
}
