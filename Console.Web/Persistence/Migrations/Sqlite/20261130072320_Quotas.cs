using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Plinth.Web.Persistence.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class Quotas : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<int>(
                name: "DiskGib",
                table: "Vms",
                type: "INTEGER",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<int>(
                name: "MemoryMib",
                table: "Vms",
                type: "INTEGER",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<int>(
                name: "Vcpus",
                table: "Vms",
                type: "INTEGER",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<string>(
                name: "Quota",
                table: "Projects",
                type: "TEXT",
                nullable: false,
                defaultValue: "{}",
                collation: "BINARY");

            migrationBuilder.AddColumn<string>(
                name: "Quota",
                table: "Organizations",
                type: "TEXT",
                nullable: false,
                defaultValue: "{}",
                collation: "BINARY");

            migrationBuilder.Sql("UPDATE \"Vms\" SET \"Vcpus\" = max(json_extract(\"Spec\", '$.size.vcpus'), coalesce(json_extract(\"Spec\", '$.formerSize.vcpus'), 0)), \"MemoryMib\" = max(json_extract(\"Spec\", '$.size.memoryMib'), coalesce(json_extract(\"Spec\", '$.formerSize.memoryMib'), 0)), \"DiskGib\" = max(json_extract(\"Spec\", '$.size.diskGib'), coalesce(json_extract(\"Spec\", '$.formerSize.diskGib'), 0))");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "DiskGib",
                table: "Vms");

            migrationBuilder.DropColumn(
                name: "MemoryMib",
                table: "Vms");

            migrationBuilder.DropColumn(
                name: "Vcpus",
                table: "Vms");

            migrationBuilder.DropColumn(
                name: "Quota",
                table: "Projects");

            migrationBuilder.DropColumn(
                name: "Quota",
                table: "Organizations");
        }
    }
}
